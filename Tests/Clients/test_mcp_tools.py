"""Real MCP clients list and call every tool. Names, arguments, texts and shapes are those that agents live with."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from conftest import Deployment
from mcp_clients import CLIENTS, Reply, Session, connect

pytestmark = pytest.mark.anyio

STORY_SECONDS = 60
PROMPT_LIMIT = 8192

# Each tool in the order of the list: its arguments with their types, the optional ones, the type of its result.
TOOLS: dict[str, tuple[dict[str, str], set[str], str]] = {
    "list_users": ({}, set(), "array"),
    "create_role": ({"role_name": "string", "default_system_prompt": "string"}, {"default_system_prompt"}, "string"),
    "list_roles": ({}, set(), "array"),
    "remove_role": ({"role_name": "string"}, set(), "string"),
    "set_role_system_prompt": ({"role_name": "string", "default_system_prompt": "string"}, set(), "string"),
    "assign_role_to_user": ({"user_id": "string", "role_name": "string"}, set(), "string"),
    "remove_role_from_user": ({"user_id": "string", "role_name": "string"}, set(), "string"),
    "attach_role_to_tool": ({"tool_id": "integer", "role_name": "string"}, set(), "string"),
    "detach_role_from_tool": ({"tool_id": "integer", "role_name": "string"}, set(), "string"),
    "add_service": (
        {
            "service_name": "string",
            "endpoint": "string",
            "description": "string",
            "requires_authorization": "boolean",
            "method_authorization": "string",
        },
        {"method_authorization"},
        "string",
    ),
    "list_services": ({}, set(), "array"),
    "remove_service": ({"service_name": "string"}, set(), "string"),
    "get_tools": ({"service_name": "string"}, set(), "array"),
    "refresh_service": ({"service_name": "string"}, set(), "string"),
    "update_service": (
        {
            "service_name": "string",
            "endpoint": "string",
            "description": "string",
            "requires_authorization": "boolean",
            "method_authorization": "string",
        },
        {"endpoint", "description", "requires_authorization", "method_authorization"},
        "string",
    ),
    "find_tools": ({"query": "string", "role": "string"}, {"role"}, "array"),
    "authorize_user_to_service": (
        {"service_name": "string", "user_id": "string", "token": "string", "expires_at": "string"},
        {"expires_at"},
        "string",
    ),
    "list_user_tokens": ({"user_id": "string"}, set(), "array"),
    "revoke_user_token": ({"service_name": "string", "user_id": "string"}, set(), "string"),
    "grant_user_token": ({"service_name": "string", "user_id": "string", "agent": "string"}, set(), "string"),
    "withdraw_user_token": ({"service_name": "string", "user_id": "string", "agent": "string"}, set(), "string"),
    "list_tool_changes": ({"service_name": "string", "tool_name": "string"}, {"service_name", "tool_name"}, "array"),
    "approve_tool_changes": (
        {"service_name": "string", "tool_name": "string", "sha256": "string"},
        {"tool_name", "sha256"},
        "string",
    ),
    "whoami": ({}, set(), "object"),
}


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    return request.param


@asynccontextmanager
async def sessions(client: str, deployment: Deployment) -> AsyncIterator[tuple[Session, Session]]:
    """Two sessions on one database: through one process, and through the other."""
    first, other = deployment.first, deployment.other
    with anyio.fail_after(STORY_SECONDS):
        async with connect(client, first.mcp_url, first.admin_token) as one:
            async with connect(client, other.mcp_url, other.admin_token) as two:
                yield one, two


def said(reply: Reply) -> str:
    """The text of a tool that answers with one."""
    assert not reply.is_error, reply
    assert reply.texts == [reply.value]
    return reply.value


def listed(reply: Reply) -> list[Any]:
    """The list of a tool that answers with one. Its text is compact JSON, and there is none for an empty list."""
    assert not reply.is_error, reply
    compact = json.dumps(reply.value, ensure_ascii=False, separators=(",", ":"))
    if reply.value:
        assert [json.loads(text) for text in reply.texts] == [reply.value]
        assert len(reply.texts[0]) == len(compact), "the text is not compact"
    else:
        assert reply.texts == []
    return reply.value


def refused(reply: Reply, *parts: str) -> None:
    """The tool failed, and its text names what is wrong."""
    assert reply.is_error, reply
    assert reply.value is None
    assert len(reply.texts) == 1
    for part in parts:
        assert part in reply.texts[0], reply.texts[0]


async def test_lists_every_tool(client: str, shared: Deployment) -> None:
    async with sessions(client, shared) as (session, _):
        tools = await session.tools()
    assert [tool["name"] for tool in tools] == list(TOOLS)
    for tool in tools:
        arguments, optional, result = TOOLS[tool["name"]]
        schema = tool["inputSchema"]
        assert schema["type"] == "object"
        assert {name: value["type"] for name, value in schema.get("properties", {}).items()} == arguments
        assert set(schema.get("required", [])) == set(arguments) - optional
        assert tool["description"]
        assert tool["outputSchema"]["properties"]["result"]["type"] == result
        assert tool["outputSchema"]["required"] == ["result"]


async def test_calls_every_tool(client: str, shared: Deployment, name: str, endpoint: str) -> None:
    service, role, user = f"service {name}", f"role {name}", f"user {name} é😀"
    first_token, second_token = shared.secret("token"), shared.secret("token")

    async with sessions(client, shared) as (writer, reader):
        added = await writer.call(
            "add_service",
            service_name=service,
            endpoint=endpoint,
            description="",
            requires_authorization=True,
            method_authorization="Bearer",
        )
        assert said(added) == f"Create service with name='{service}'"
        assert {
            "service_name": service,
            "endpoint": endpoint,
            "description": "Order pizza: prices, and delivery to an address.",
        } in listed(await reader.call("list_services"))

        tools = listed(await reader.call("get_tools", service_name=service))
        assert [tool["name"] for tool in tools] == ["list_pizzas", "price", "order"]
        assert tools[2]["description"] == "Order one pizza to an address."
        assert all(list(tool) == ["id", "name", "description", "roles"] and tool["roles"] == [] for tool in tools)
        order = tools[2]["id"]

        created = await writer.call("create_role", role_name=role, default_system_prompt="Bon appétit 🍕")
        assert said(created) == f"Role with name='{role}' created"
        roles = listed(await reader.call("list_roles"))
        assert {"name": role, "default_system_prompt": "Bon appétit 🍕"} in roles
        prompted = await writer.call("set_role_system_prompt", role_name=role, default_system_prompt="Be brief.")
        assert said(prompted) == f"Default system prompt is set for role '{role}'"
        roles = listed(await reader.call("list_roles"))
        assert {"name": role, "default_system_prompt": "Be brief."} in roles

        for _ in range(2):  # the second time changes nothing and succeeds too
            attached = await writer.call("attach_role_to_tool", tool_id=order, role_name=role)
            assert said(attached) == f"Role with name='{role}' attached to tool with id='{order}'"
        tools = listed(await reader.call("get_tools", service_name=service))
        assert [tool["roles"] for tool in tools] == [[], [], [role]]
        found = listed(await reader.call("find_tools", query="pizza address", role=role))
        assert [(tool["id"], tool["service_name"], tool["name"]) for tool in found] == [(order, service, "order")]
        assert found[0]["description"] == "Order one pizza to an address."

        for token in [first_token, second_token]:
            authorized = await writer.call("authorize_user_to_service", service_name=service, user_id=user, token=token)
            assert said(authorized) == "Authorization token is set, please repeat your original request"
        assert [user, "(no role)"] in listed(await reader.call("list_users"))
        answer = shared.other.http("GET", "/token", {"service_name": service, "user_id": user})
        assert answer.json == {"token": second_token, "method_authorization": "Bearer"}

        for _ in range(2):
            assigned = await writer.call("assign_role_to_user", user_id=user, role_name=role)
            assert said(assigned) == f"Role with name='{role}' assigned to user with id='{user}'"
        assert [user, role] in listed(await reader.call("list_users"))
        unassigned = await writer.call("remove_role_from_user", user_id=user, role_name=role)
        assert said(unassigned) == f"Role with name='{role}' removed from user with id='{user}'"
        assert [user, "(no role)"] in listed(await reader.call("list_users"))

        for _ in range(2):
            detached = await writer.call("detach_role_from_tool", tool_id=order, role_name=role)
            assert said(detached) == f"Role with name='{role}' detached from tool with id='{order}'"
        tools = listed(await reader.call("get_tools", service_name=service))
        assert [tool["roles"] for tool in tools] == [[], [], []]

        refreshed = await writer.call("refresh_service", service_name=service)
        assert said(refreshed) == f"Service with name='{service}' has 3 tools now"
        assert listed(await reader.call("get_tools", service_name=service)) == tools, (
            "the same tools, with the same ids"
        )

        assert listed(await reader.call("list_tool_changes", service_name=service)) == []
        approved = await writer.call("approve_tool_changes", service_name=service)
        assert said(approved) == f"No change of service with name='{service}' waits for approval"
        updated = await writer.call("update_service", service_name=service, description="Pizza, and no more.")
        assert said(updated) == f"Service with name='{service}' updated"
        services = listed(await reader.call("list_services"))
        assert {"service_name": service, "endpoint": endpoint, "description": "Pizza, and no more."} in services
        me = await reader.call("whoami")
        assert not me.is_error and json.loads(me.texts[0]) == me.value
        assert set(me.value) == {"name", "may", "scopes"}

        removed = await writer.call("remove_role", role_name=role)
        assert said(removed) == f"Role with name='{role}' deleted"
        assert role not in [item["name"] for item in listed(await reader.call("list_roles"))]
        removed = await writer.call("remove_service", service_name=service)
        assert said(removed) == f"Service with name='{service}' removed"
        assert listed(await reader.call("get_tools", service_name=service)) == []


async def test_optional_arguments_can_be_left_out(client: str, shared: Deployment, name: str, endpoint: str) -> None:
    async with sessions(client, shared) as (session, _):
        said(await session.call("create_role", role_name=name))
        assert {"name": name, "default_system_prompt": ""} in listed(await session.call("list_roles"))
        service = {"service_name": name, "endpoint": endpoint, "description": " of my own "}
        said(await session.call("add_service", **service, requires_authorization=False))
        services = listed(await session.call("list_services"))
        assert [item["description"].strip() for item in services if item["service_name"] == name] == ["of my own"]
        said(await session.call("remove_service", service_name=name))


async def test_refuses_what_makes_no_sense(client: str, shared: Deployment, name: str, endpoint: str) -> None:
    service = {"endpoint": endpoint, "description": "d", "requires_authorization": False}
    async with sessions(client, shared) as (session, _):
        said(await session.call("create_role", role_name=name))
        said(await session.call("add_service", service_name=name, **service))
        tool = listed(await session.call("get_tools", service_name=name))[0]["id"]

        refused(await session.call("create_role", role_name=name), name, "already exists")
        refused(await session.call("add_service", service_name=name, **service), name, "already exists")
        refused(await session.call("add_service", service_name=f"{name} 2", **service), "already registered")
        for change in ["set_role_system_prompt", "remove_role", "attach_role_to_tool", "detach_role_from_tool"]:
            arguments = {
                "set_role_system_prompt": {"default_system_prompt": "p"},
                "attach_role_to_tool": {"tool_id": tool},
                "detach_role_from_tool": {"tool_id": tool},
            }.get(change, {})
            refused(await session.call(change, role_name=f"no {name}", **arguments), f"no {name}")
        for change in ["attach_role_to_tool", "detach_role_from_tool"]:
            for absent in [9_000_000_000_000, 2**63]:
                refused(await session.call(change, role_name=name, tool_id=absent), "Tool with id '9", "not found")
        for change in ["assign_role_to_user", "remove_role_from_user"]:
            refused(await session.call(change, user_id=f"no {name}", role_name=name), f"no {name}")
        for change in ["remove_service", "refresh_service"]:
            refused(await session.call(change, service_name=f"no {name}"), f"no {name}", "not found")
        refused(
            await session.call("authorize_user_to_service", service_name=f"no {name}", user_id=name, token="t"),
            f"no {name}",
            "not found",
        )
        assert name not in [user for user, _ in listed(await session.call("list_users"))]
        said(await session.call("remove_service", service_name=name))


@pytest.mark.parametrize(
    "tool, arguments, named",
    [
        ("create_role", {}, "Input validation error: 'role_name' is a required property"),
        ("create_role", {"role_name": 5}, "Input validation error: 5 is not of type 'string'"),
        ("create_role", {"role_name": None}, "Input validation error: null is not of type 'string'"),
        ("create_role", {"role_name": ""}, "role_name"),
        ("create_role", {"role_name": " blank"}, "role_name"),
        ("create_role", {"role_name": "a" * 256}, "role_name"),
        ("create_role", {"role_name": "a\u0000b"}, "role_name"),
        ("create_role", {"role_name": "r", "colour": "red"}, "colour"),
        ("create_role", {"role_name": "long prompt", "default_system_prompt": "é" * (PROMPT_LIMIT + 1)}, "8192"),
        ("attach_role_to_tool", {"tool_id": "1", "role_name": "r"}, "'1' is not of type 'integer'"),
        ("attach_role_to_tool", {"tool_id": 1.5, "role_name": "r"}, "1.5 is not of type 'integer'"),
        ("attach_role_to_tool", {"tool_id": True, "role_name": "r"}, "true is not of type 'integer'"),
        ("authorize_user_to_service", {"service_name": "s", "user_id": "u", "token": ""}, "token"),
    ],
)
async def test_refuses_bad_arguments(
    client: str, shared: Deployment, tool: str, arguments: dict[str, Any], named: str
) -> None:
    async with sessions(client, shared) as (session, _):
        before = listed(await session.call("list_roles"))
        refused(await session.call(tool, **arguments), named)
        assert listed(await session.call("list_roles")) == before


@pytest.mark.parametrize("method", ["", "Digest", "bearer"])
async def test_refuses_an_unknown_authorization_method(
    client: str, shared: Deployment, name: str, endpoint: str, method: str
) -> None:
    service = {"service_name": name, "endpoint": endpoint, "description": "d", "requires_authorization": True}
    async with sessions(client, shared) as (session, _):
        refused(await session.call("add_service", **service, method_authorization=method), "Basic", "Bearer")


@pytest.mark.parametrize("place", ["not a url", "file:///etc/passwd", "stdio.py", "ftp://127.0.0.1/mcp"])
async def test_refuses_an_endpoint_that_is_not_http(client: str, shared: Deployment, name: str, place: str) -> None:
    service = {"service_name": name, "endpoint": place, "description": "", "requires_authorization": False}
    async with sessions(client, shared) as (session, _):
        refused(await session.call("add_service", **service), "endpoint")
        assert name not in [item["service_name"] for item in listed(await session.call("list_services"))]


async def test_refuses_a_service_that_nobody_answers_for(client: str, shared: Deployment, name: str) -> None:
    unused = "http://127.0.0.1:1/mcp"
    service = {"service_name": name, "endpoint": unused, "description": "", "requires_authorization": False}
    async with sessions(client, shared) as (session, _):
        refused(await session.call("add_service", **service), f"Failed to fetch tools from {unused}")


async def test_an_unknown_tool_is_an_error_that_the_session_survives(client: str, shared: Deployment) -> None:
    async with sessions(client, shared) as (session, _):
        with pytest.raises(Exception, match="no_such_tool"):
            await session.call("no_such_tool")
        assert len(await session.tools()) == len(TOOLS)
