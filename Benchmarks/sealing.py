"""Seals tokens as `TokenVault` does (Sources/Registry/Credentials), so that the server can open what is loaded."""

import hmac
import os
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SALT_BYTES = 24
INFO = b"mcp-registry/token-envelope/v1"


def seal(
    key: bytes,
    key_id: int,
    context: tuple[str, str, str, str],
    plaintext: bytes,
    salt: bytes | None = None,
) -> bytes:
    """The envelope of a token. `context`: purpose, service id, user id, field."""
    salt = salt or os.urandom(SALT_BYTES)
    prefix = struct.pack(">BBI", 1, 1, key_id)
    material = _hkdf(key, salt, INFO + prefix)
    encryption, nonce, commitment = material[:32], material[32:44], material[44:76]
    header = prefix + salt
    authenticated = header + b"".join(_with_length(part.encode()) for part in context)
    return header + commitment + AESGCM(encryption).encrypt(nonce, plaintext, authenticated)


def user_token(key: bytes, key_id: int, service_id: str, user_id: str, token: bytes) -> bytes:
    """The envelope of a user's token for a service."""
    return seal(key, key_id, ("user-token", service_id, user_id, "access_token"), token)


def _hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    """96 bytes of HKDF-SHA256 (RFC 5869)."""
    pseudorandom = hmac.digest(salt, key, "sha256")
    blocks = [b""]
    for number in (1, 2, 3):
        blocks.append(hmac.digest(pseudorandom, blocks[-1] + info + bytes([number]), "sha256"))
    return b"".join(blocks)


def _with_length(part: bytes) -> bytes:
    return struct.pack(">I", len(part)) + part
