"""Section 8: who may call, and how others are refused. This registry knows one static token."""

from pathlib import Path
from typing import Any

import pytest

from deployments import production
from endpoint import ABSENT, Endpoint, call, modern_call, modern_fields

pytest_plugins = ["deployments"]

REQUESTS: dict[str, Any] = {
    "initialize": call("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}}),
    "ping": call("ping"),
    "legacy tools/list": call("tools/list"),
    "legacy tools/call": call("tools/call", {"name": "whoami"}),
    "server/discover": modern_call("server/discover"),
    "modern tools/list": modern_call("tools/list"),
    "notification": call("notifications/initialized", id=ABSENT),
    "batch": [call("ping")],
    "unknown method": call("nope"),
    "no message": {},
}


def fields_of(message: Any) -> dict[str, Any]:
    """The headers of a modern request, none for others."""
    is_modern = isinstance(message, dict) and "_meta" in message.get("params", {})
    return dict(modern_fields(message)) if is_modern else {}


@pytest.mark.parametrize("message", REQUESTS.values(), ids=REQUESTS.keys())
def test_without_credentials_every_request_gets_a_challenge_that_names_no_error(
    guarded: Endpoint, message: Any
) -> None:
    reply = guarded.send(message, Authorization=None, **fields_of(message))
    assert reply.outcome == (401, -32600)
    challenge = reply.headers["WWW-Authenticate"]
    assert challenge == "Bearer", "no error code, and no metadata that would start a registration"
    assert reply.error["message"]


BAD: dict[str, str | list[str]] = {
    "another token": "Bearer wrong-token-wrong-token",
    "a prefix of it": "Bearer PREFIX",
    "it and more": "Bearer TOKENx",
    "in other case": "Bearer UPPER",
    "a list": "Bearer TOKEN, Bearer TOKEN",
}
MALFORMED: dict[str, str | list[str]] = {
    "no token": "Bearer",
    "an empty token": "Bearer ",
    "twice": ["Bearer TOKEN", "Bearer TOKEN"],
    "a good one after a bad one": ["Bearer wrong", "Bearer TOKEN"],
}
NONE: dict[str, str | list[str]] = {"Basic": "Basic TOKEN", "no scheme": "TOKEN", "empty": ""}
# What is sent, the status, and the error of the challenge.
REFUSED = [
    *[pytest.param(value, 401, "invalid_token", id=name) for name, value in BAD.items()],
    *[pytest.param(value, 400, "invalid_request", id=name) for name, value in MALFORMED.items()],
    *[pytest.param(value, 401, None, id=name) for name, value in NONE.items()],
]


@pytest.mark.parametrize("value, status, error", REFUSED)
@pytest.mark.parametrize("request_name", ["initialize", "server/discover", "notification"])
def test_bad_credentials_get_a_challenge_that_says_so(
    guarded: Endpoint, request_name: str, value: str | list[str], status: int, error: str | None
) -> None:
    token = guarded.registry.admin_token or ""

    def filled(text: str) -> str:
        return text.replace("TOKEN", token).replace("PREFIX", token[:-1]).replace("UPPER", token.upper())

    sent = [filled(one) for one in value] if isinstance(value, list) else filled(value)
    message = REQUESTS[request_name]
    reply = guarded.send(message, Authorization=sent, **fields_of(message))
    assert reply.outcome == (status, -32600)
    challenge = reply.headers["WWW-Authenticate"]
    if error:
        assert challenge.startswith(f'Bearer error="{error}", error_description="')
    else:
        assert challenge == "Bearer"
    assert token not in challenge + reply.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("message", REQUESTS.values(), ids=REQUESTS.keys())
def test_with_the_token_every_request_is_looked_into(guarded: Endpoint, message: Any, scheme: str) -> None:
    sent = f"{scheme} {guarded.registry.admin_token}"
    assert guarded.send(message, Authorization=sent, **fields_of(message)).status in (200, 202, 400)


@pytest.mark.parametrize("key", ["access_token", "token", "authorization", "key"])
def test_a_token_in_the_query_is_no_credential(guarded: Endpoint, key: str) -> None:
    path = f"/mcp?{key}={guarded.registry.admin_token}"
    assert guarded.send(call("ping"), path=path, Authorization=None).status == 401


def test_credentials_are_needed_for_each_request_of_a_connection(guarded: Endpoint) -> None:
    connection = guarded.registry.connect()
    body = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    statuses = []
    good = guarded.registry.authorization()
    for fields in [good, {}, good, {"Authorization": "Bearer x"}]:
        connection.request("POST", "/mcp", body, {"Content-Type": "application/json"} | fields)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    assert statuses == [200, 401, 200, 401]


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
    ],
)
def test_there_is_no_metadata_that_would_start_a_registration(guarded: Endpoint, path: str) -> None:
    """Clients ask without credentials, and take anything but 404 for a fault."""
    fields = {"Authorization": None, "Content-Type": None, "MCP-Protocol-Version": "2026-07-28"}
    assert guarded.send(None, verb="GET", path=path, **fields).status == 404


@pytest.mark.parametrize("verb", ["GET", "DELETE", "PUT", "HEAD"])
def test_a_wrong_method_needs_no_credentials(guarded: Endpoint, verb: str) -> None:
    reply = guarded.send(None, verb=verb, Authorization=None)
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")
    assert reply.headers["WWW-Authenticate"] is None


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A registry whose operator has listed hosts and origins."""
    folder: Path = tmp_path_factory.mktemp("listed")
    server = production(folder, ALLOWED_HOSTS="registry.example", ALLOWED_ORIGINS="https://admin.example")
    try:
        yield Endpoint(server)
    finally:
        server.process.kill()
        server.process.wait()


@pytest.mark.parametrize(
    "host, status",
    [
        ("registry.example", 200),
        ("registry.example:8443", 200),
        ("REGISTRY.example", 200),
        ("evil.example.com", 403),
        ("registry.example.evil.com", 403),
        ("xregistry.example", 403),
    ],
)
def test_hosts_that_are_listed_are_served(listed: Endpoint, host: str, status: int) -> None:
    assert listed.send(call("ping"), Host=host).status == status


@pytest.mark.parametrize(
    "origin, status",
    [
        ("https://admin.example", 200),
        ("HTTPS://ADMIN.example", 200),
        ("https://registry.example", 200),
        ("http://admin.example", 403),
        ("https://admin.example:444", 403),
        ("https://admin.example.evil.com", 403),
        ("https://evil.example.com", 403),
        ("null", 403),
    ],
)
def test_origins_that_are_listed_are_served(listed: Endpoint, origin: str, status: int) -> None:
    assert listed.send(call("ping"), Host="registry.example", Origin=origin).status == status
