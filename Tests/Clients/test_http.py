"""The HTTP endpoints, asked by plain http.client: statuses, bodies and headers as agents know them."""

from typing import Any

import pytest

from conftest import Deployment
from registry import exchange

MEBIBYTE = 1 << 20

# The endpoints that read a body, each with a field that it needs, and another that it also needs.
BODY_ENDPOINTS: list[tuple[str, str, str, dict[str, str]]] = [
    ("GET", "/token", "user_id", {"service_name": "s"}),
    ("POST", "/token", "service_name", {"user_id": "u"}),
    ("POST", "/role_for_user", "user_id", {}),
    ("POST", "/tools_for_role", "role", {}),
    ("POST", "/system_prompt_for_role", "role", {}),
    ("POST", "/register_user", "user_id", {}),
]

BAD_BODIES = [None, b"", b"{", b'{"', b"\xff\xfe", b"[]", b'"text"', b"null", b"7", b"{}" * 2]

BAD_VALUES: list[Any] = [None, 5, True, 1.5, [], {}, "", "   ", " a", "a\u0000b", "\ud800", "a" * 300]


def add_pizzeria(deployment: Deployment, name: str, endpoint: str, method: str = "") -> list[dict[str, Any]]:
    """Registers the demo service and returns its tools."""
    deployment.first.done(
        "add_service",
        service_name=name,
        endpoint=endpoint,
        description="",
        requires_authorization=bool(method),
        method_authorization=method,
    )
    return deployment.other.done("get_tools", service_name=name)


def test_an_empty_registry(fresh: Deployment) -> None:
    server = fresh.first
    assert server.http("GET", "/health").text == '{"status":"healthy","service":"mcp-server"}'
    assert server.http("GET", "/ready").status == 200
    assert server.http("GET", "/list_services").text == '{"services":{}}'
    assert server.http("GET", "/list_users").text == '{"users":[]}'
    for tool in ["list_users", "list_roles", "list_services"]:
        result = server.call(tool)
        assert (result["content"], result["structuredContent"]) == ([], {"result": []})


def test_services(shared: Deployment, name: str, endpoint: str) -> None:
    add_pizzeria(shared, name, endpoint)
    answer = shared.other.http("GET", "/list_services")
    assert (answer.status, answer.type) == (200, "application/json")
    assert answer.json["services"][name] == {"transport": "streamable_http", "url": endpoint}
    shared.first.done("remove_service", service_name=name)
    assert name not in shared.other.http("GET", "/list_services").json["services"]


def test_users_and_roles(shared: Deployment, name: str) -> None:
    first, other = shared.first, shared.other
    first.done("create_role", role_name=name, default_system_prompt="Grüße 🍕")
    user = f"Ünïcode {name}"

    def listed_role() -> list[str]:
        users = [item["user"] for item in other.http("GET", "/list_users").json["users"]]
        return [item["role"] for item in users if item["user_id"] == user]

    assert listed_role() == []
    assert first.http("POST", "/role_for_user", {"user_id": user}).text == '{"role":""}'
    assert listed_role() == [""], "asking for a role makes the user known"
    for body in [{}, {"role_name": name}, {"role_name": ""}, {"role_name": None}]:
        answer = first.http("POST", "/register_user", {"user_id": user} | body)
        assert (answer.status, answer.text) == (200, '{"status":"user registered"}')
        assert listed_role() == (["" if not body else name])
    assert other.http("POST", "/role_for_user", {"user_id": user}).json == {"role": name}

    answer = other.http("POST", "/system_prompt_for_role", {"role": name})
    assert answer.text == '{"default_system_prompt":"Grüße 🍕"}', "neither spaces nor escapes"
    answer = other.http("POST", "/system_prompt_for_role", {"role": f"no {name}"})
    assert (answer.status, answer.json) == (200, {"default_system_prompt": ""})


def test_registering_with_an_unknown_role_changes_nothing(shared: Deployment, name: str) -> None:
    answer = shared.first.http("POST", "/register_user", {"user_id": name, "role_name": f"no {name}"})
    assert answer.status in (400, 404)
    assert f"no {name}" in answer.json["detail"]
    assert name not in shared.first.http("GET", "/list_users").text


def test_names_are_compared_exactly(shared: Deployment, name: str) -> None:
    users = [name, name.upper(), name.replace("n", "ñ"), name + "7"]
    for user in users:
        shared.first.http("POST", "/register_user", {"user_id": user})
    shared.first.done("create_role", role_name=name)
    shared.first.done("assign_role_to_user", user_id=users[0], role_name=name)
    roles = [shared.other.http("POST", "/role_for_user", {"user_id": user}).json["role"] for user in users]
    assert roles == [name, "", "", ""]


def test_tools_for_role(shared: Deployment, name: str, endpoint: str) -> None:
    tools = add_pizzeria(shared, name, endpoint)
    shared.first.done("create_role", role_name=name)
    for role in [name, f"no {name}"]:
        answer = shared.other.http("POST", "/tools_for_role", {"role": role})
        assert (answer.status, answer.text) == (200, '{"tools":[]}')
    shared.first.done("attach_role_to_tool", tool_id=tools[1]["id"], role_name=name)
    answer = shared.other.http("POST", "/tools_for_role", {"role": name})
    assert answer.json == {
        "tools": [
            {
                "id": tools[1]["id"],
                "name": "price",
                "description": "Tell what some pizzas of one kind cost, in euros.",
                "service_name": name,
            }
        ]
    }
    assert list(answer.json["tools"][0])[:3] == ["id", "name", "description"]
    shared.first.done("remove_service", service_name=name)
    assert shared.other.http("POST", "/tools_for_role", {"role": name}).json == {"tools": []}


@pytest.mark.parametrize("way", ["GET with a body", "GET with a query", "POST"])
def test_token(shared: Deployment, name: str, endpoint: str, way: str) -> None:
    def token(**question: str) -> tuple[int, Any]:
        if way == "GET with a query":
            query = "&".join(f"{key}={value}" for key, value in question.items())
            answer = shared.other.http("GET", f"/token?{query}")
        else:
            answer = shared.other.http(way.split()[0], "/token", question)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.type == ("application/json" if answer.status == 200 else "application/problem+json")
        return answer.status, answer.json if answer.status == 200 else answer.json["detail"]

    secret = shared.secret("token")
    add_pizzeria(shared, name, endpoint, "Basic")
    assert token(service_name=name) == (400, "service_name and user_id are required")
    assert token(service_name=f"no-{name}", user_id="u") == (404, "Service not found")
    status, detail = token(service_name=name, user_id=name)
    assert status == 401
    assert detail.startswith("User is not authorized to use this service.")
    assert name not in shared.first.http("GET", "/list_users").text, "asking for a token makes nobody known"

    shared.first.done("authorize_user_to_service", service_name=name, user_id=name, token=secret)
    assert token(service_name=name, user_id=name) == (200, {"token": secret, "method_authorization": "Basic"})
    assert token(service_name=name, user_id=name.upper())[0] == 401

    shared.first.done("remove_service", service_name=name)
    assert token(service_name=name, user_id=name)[0] == 404
    add_pizzeria(shared, name, endpoint, "Basic")
    assert token(service_name=name, user_id=name)[0] == 401, "a token never outlives its service"


def test_a_service_without_authorization_needs_no_token(shared: Deployment, name: str, endpoint: str) -> None:
    add_pizzeria(shared, name, endpoint)
    answer = shared.other.http("GET", "/token", {"service_name": name, "user_id": "anybody"})
    assert (answer.status, answer.text) == (200, '{"status":"Ok"}')


@pytest.mark.parametrize("method, path, field, rest", BODY_ENDPOINTS)
def test_bad_bodies_get_400_on_a_connection_that_lives_on(
    shared: Deployment, method: str, path: str, field: str, rest: dict[str, str]
) -> None:
    server = shared.first
    before = server.http("GET", "/list_users").text
    connection = server.connect()
    bodies = [*BAD_BODIES, rest, *({field: value} | rest for value in BAD_VALUES)]
    for body in bodies:
        answer = exchange(connection, method, path, body, **server.authorization())
        assert (answer.status, answer.type) == (400, "application/problem+json"), (body, answer)
        assert answer.json["status"] == 400
        assert answer.json["detail"]
    assert exchange(connection, "GET", "/health").status == 200
    connection.close()
    assert server.http("GET", "/list_users").text == before


def test_the_content_type_of_a_request_does_not_matter_and_unknown_fields_are_ignored(
    shared: Deployment, name: str
) -> None:
    body = {"user_id": name, "colour": "red"}
    answer = shared.first.http("POST", "/role_for_user", body, **{"Content-Type": "text/plain"})
    assert answer.status == 200


@pytest.mark.parametrize("path", ["/role_for_user", "/mcp"])
def test_a_body_over_one_mebibyte_gets_413(shared: Deployment, path: str) -> None:
    answer = shared.first.http("POST", path, {"user_id": "a" * MEBIBYTE})
    assert answer.status == 413


@pytest.mark.parametrize(
    "method, path, allowed",
    [
        ("POST", "/health", {"GET", "HEAD"}),
        ("DELETE", "/list_services", {"GET", "HEAD"}),
        ("GET", "/role_for_user", {"POST"}),
        ("PUT", "/register_user", {"POST"}),
        ("DELETE", "/token", {"GET", "HEAD", "POST"}),
        ("GET", "/mcp", {"POST"}),
        ("DELETE", "/mcp", {"POST"}),
    ],
)
def test_a_wrong_method_gets_405(shared: Deployment, method: str, path: str, allowed: set[str]) -> None:
    answer = shared.first.http(method, path)
    assert answer.status == 405
    assert {word.strip() for word in answer.headers["Allow"].split(",")} == allowed


@pytest.mark.parametrize("path", ["/", "/nope", "/token/x", "/docs", "/mcp/x"])
def test_an_unknown_path_gets_404(shared: Deployment, path: str) -> None:
    answer = shared.first.http("GET", path)
    assert (answer.status, answer.type) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/health", "/ready", "/list_services", "/list_users"])
def test_head_answers_like_get_without_a_body(shared: Deployment, path: str) -> None:
    answer = shared.first.http("HEAD", path)
    assert (answer.status, answer.text) == (200, "")


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
def test_mcp_needs_no_handshake(shared: Deployment, path: str) -> None:
    answer = shared.first.http("POST", path, {"jsonrpc": "2.0", "id": 0, "method": "ping"})
    assert (answer.status, answer.type) == (200, "application/json")
    assert answer.json == {"jsonrpc": "2.0", "id": 0, "result": {}}
    assert answer.headers["Mcp-Session-Id"] is None
