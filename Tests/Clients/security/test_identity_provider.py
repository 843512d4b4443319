"""Access tokens of a real identity provider, which the registry finds and asks for its keys by itself."""

import base64
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Start
from identity_provider import IdentityProvider
from registry import Answer, Registry, exchange

PUBLIC_URL = "https://registry.example"
RESOURCE, OTHER = PUBLIC_URL + "/mcp", "https://other.example/mcp"
METADATA = f'resource_metadata="{PUBLIC_URL}/.well-known/oauth-protected-resource/mcp"'
# The registry asks for the provider's keys every 10 s at most.
NEW_KEY_SECONDS = 20


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[IdentityProvider]:
    provider = IdentityProvider(Path(os.environ["TEST_IDENTITY_PROVIDER"]), tmp_path, [RESOURCE, OTHER])
    yield provider
    provider.stop()


@pytest.fixture
def server(start: Start, provider: IdentityProvider) -> Registry:
    return start(OIDC_ISSUER=provider.issuer, PUBLIC_URL=PUBLIC_URL)


def ask(server: Registry, token: str, path: str = "/list_services", method: str = "GET", body: object = None) -> Answer:
    connection = server.connect()
    try:
        return exchange(connection, method, path, body, Authorization=f"Bearer {token}")
    finally:
        connection.close()


def test_a_token_opens_what_its_scope_stands_for_and_no_more_SQLite(
    server: Registry, provider: IdentityProvider
) -> None:
    token = provider.token("registry:read", RESOURCE)
    server.secrets.append(token)
    assert ask(server, token).json == {"services": {}}
    refused = ask(server, token, "/list_users")
    assert refused.status == 403
    challenge = refused.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in challenge and 'scope="registry:admin"' in challenge and METADATA in challenge
    assert ask(server, provider.token("registry:admin", RESOURCE), "/list_users").status == 200


def test_the_provider_s_name_for_the_caller_is_in_the_audit_log_SQLite(
    server: Registry, provider: IdentityProvider
) -> None:
    token = provider.token("registry:admin", RESOURCE)
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "create_role", "arguments": {"role_name": "r"}},
    }
    assert ask(server, token, "/mcp", "POST", call).json["result"]["structuredContent"]
    call["params"] = {"name": "whoami", "arguments": {}}
    assert f"{provider.issuer}|agent" in ask(server, token, "/mcp", "POST", call).text


def test_a_token_for_another_resource_and_an_altered_one_are_refused_SQLite(
    server: Registry, provider: IdentityProvider
) -> None:
    for_another = ask(server, provider.token("registry:read", OTHER))
    header, claims, signature = provider.token("registry:read", RESOURCE).split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"scope": "registry:admin"}
    forged = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    altered = ask(server, f"{header}.{forged}.{signature}", "/list_users")
    for answer, reason in [(for_another, "is not meant for this registry"), (altered, "signature is not valid")]:
        assert answer.status == 401
        challenge = answer.headers["WWW-Authenticate"]
        assert 'error="invalid_token"' in challenge and reason in challenge and METADATA in challenge


def test_a_new_key_of_the_provider_is_taken_up_and_the_old_one_is_not_believed_any_more_SQLite(
    server: Registry, provider: IdentityProvider
) -> None:
    old = provider.token("registry:read", RESOURCE)
    assert ask(server, old).status == 200
    provider.rotate()
    new = provider.token("registry:read", RESOURCE)
    deadline = time.monotonic() + NEW_KEY_SECONDS
    while ask(server, new).status != 200:
        assert time.monotonic() < deadline, server.output()
        time.sleep(0.2)
    assert ask(server, old).status == 401
