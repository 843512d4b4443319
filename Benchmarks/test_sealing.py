"""What the server's own tests check the envelope by, this program has to make byte for byte."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import sealing

VECTORS = json.loads((Path(__file__).parents[1] / "Tests/RegistryTests/token-vectors.json").read_text())
LONG = "bytes 0..255 repeated 16 times"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["user"])
def test_the_envelopes_of_the_vectors_are_made(vector: dict[str, Any]) -> None:
    plaintext = bytes(range(256)) * 16 if vector["plaintext"] == LONG else bytes.fromhex(vector["plaintext"])
    context = (vector["purpose"], vector["service"], vector["user"], vector["field"])
    salt = bytes.fromhex(vector["salt"])
    envelope = sealing.seal(bytes.fromhex(vector["key"]), vector["key_id"], context, plaintext, salt)
    assert hashlib.sha256(envelope).hexdigest() == vector["sha256"]


def test_no_two_envelopes_are_the_same() -> None:
    first, second = (sealing.user_token(bytes(32), 1, "service", "user", b"token") for _ in range(2))
    assert first != second
    assert len(first) == len(second) == 78 + len(b"token")
