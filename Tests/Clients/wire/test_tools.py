"""Section 5: the registry's own tools."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from endpoint import ABSENT, Endpoint, call
from plain_service import plain_service
from specification import LEGACY

pytest_plugins = ["deployments"]

TOOLS = {
    "add_service",
    "approve_tool_changes",
    "assign_role_to_user",
    "attach_role_to_tool",
    "authorize_user_to_service",
    "create_role",
    "detach_role_from_tool",
    "find_tools",
    "get_tools",
    "grant_user_token",
    "list_roles",
    "list_services",
    "list_tool_changes",
    "list_user_tokens",
    "list_users",
    "refresh_service",
    "remove_role",
    "remove_role_from_user",
    "remove_service",
    "revoke_user_token",
    "set_role_system_prompt",
    "update_service",
    "whoami",
    "withdraw_user_token",
}
READ_ONLY = {
    "find_tools",
    "get_tools",
    "list_roles",
    "list_services",
    "list_tool_changes",
    "list_user_tokens",
    "list_users",
    "whoami",
}
OPEN_WORLD = {"add_service", "refresh_service", "update_service"}
OVERWRITES = {
    "approve_tool_changes",
    "assign_role_to_user",
    "authorize_user_to_service",
    "refresh_service",
    "set_role_system_prompt",
    "update_service",
}


@pytest.fixture
def name() -> str:
    return f"n{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def plain() -> Iterator[str]:
    """The URL of a service with three tools."""
    with plain_service() as url:
        yield url


def add(mcp: Endpoint, name: str, plain: str, **more: Any) -> None:
    """Registers that service under a name and an address of its own."""
    standard = {"description": "Pizza.", "requires_authorization": False}
    mcp.done("add_service", service_name=name, endpoint=f"{plain}?as={name}", **(standard | more))


# --- tools/list


def test_tools_are_declared_without_list_changed(mcp: Endpoint) -> None:
    assert mcp.modern("server/discover").result["capabilities"]["tools"] == {}


def test_all_tools_are_on_one_page(mcp: Endpoint) -> None:
    for reply in [mcp.legacy("tools/list"), mcp.modern("tools/list")]:
        assert "nextCursor" not in reply.result
        assert TOOLS <= {tool["name"] for tool in reply.result["tools"]}


def test_the_list_is_the_same_for_each_connection_version_and_client(mcp: Endpoint) -> None:
    lists = [mcp.legacy("tools/list", version=version).result["tools"] for version in [None, *LEGACY] * 2]
    lists += [mcp.modern("tools/list").result["tools"] for _ in range(3)]
    assert all(tools == lists[0] for tools in lists)
    assert len({tool["name"] for tool in lists[0]}) == len(lists[0]), "each name once"


def test_the_list_is_the_same_with_access_control(mcp: Endpoint, guarded: Endpoint) -> None:
    assert guarded.modern("tools/list").result["tools"] == mcp.modern("tools/list").result["tools"]


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_a_tool_says_what_it_does(mcp: Endpoint, name: str) -> None:
    """Names, texts and schemas are checked with each list; here is what differs from tool to tool."""
    tool = mcp.tools[name]
    hints = tool["annotations"]
    assert hints["readOnlyHint"] == (name in READ_ONLY)
    assert hints["openWorldHint"] == (name in OPEN_WORLD)
    assert hints["destructiveHint"] == (name in OVERWRITES or name.startswith(("remove", "detach", "revoke", "withdraw")))
    assert hints["idempotentHint"] == (name not in ("add_service", "create_role"))
    assert tool["outputSchema"]["required"] == ["result"]
    properties, required = tool["inputSchema"].get("properties", {}), tool["inputSchema"].get("required", [])
    assert set(required) <= set(properties)
    assert not [key for key in required if "default" in properties[key]]


@pytest.mark.parametrize("cursor", [None, ABSENT], ids=["null", "absent"])
def test_the_first_page_needs_no_cursor(mcp: Endpoint, cursor: Any) -> None:
    params = {} if cursor is ABSENT else {"cursor": cursor}
    assert mcp.legacy("tools/list", params).result["tools"]


# --- tools/call: errors of the protocol, and errors for the model


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize(
    "params",
    [{"name": "nope"}, {"name": ""}, {}, {"name": 5}, {"name": "list_users", "arguments": []}, {"arguments": {}}],
    ids=repr,
)
def test_what_is_no_call_of_a_tool_is_an_error_of_the_protocol(
    mcp: Endpoint, params: dict[str, Any], era: str
) -> None:
    reply = mcp.legacy("tools/call", params) if era == "legacy" else mcp.modern("tools/call", params)
    assert reply.outcome == (200 if era == "legacy" else 400, -32602)


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("tool", ["list_users", "list_roles", "list_services", "whoami", "list_tool_changes"])
def test_missing_arguments_are_no_arguments(mcp: Endpoint, tool: str, era: str) -> None:
    send = mcp.legacy if era == "legacy" else mcp.modern
    assert send("tools/call", {"name": tool}).result == send("tools/call", {"name": tool, "arguments": {}}).result


# A value of each type, and what JSON Schema says it is.
VALUES: list[tuple[str, Any]] = [
    ("null", None),
    ("boolean", True),
    ("integer", 7),
    ("number", 1.5),
    ("string", "x"),
    ("array", []),
    ("object", {}),
]


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_wrong_types_missing_and_unknown_arguments_are_told_to_the_model(mcp: Endpoint, name: str) -> None:
    schema = mcp.tools[name]["inputSchema"]
    properties, required = schema.get("properties", {}), schema.get("required", [])
    right = {key: {"string": "x", "integer": 1, "boolean": False}[properties[key]["type"]] for key in required}

    def told(arguments: dict[str, Any]) -> str:
        result = mcp.tool(name, **arguments)
        assert result["isError"] is True, arguments
        assert "Input validation error" in result["content"][0]["text"]
        return result["content"][0]["text"]

    for missing in required:
        assert f"'{missing}'" in told({key: value for key, value in right.items() if key != missing})
    for key, parameter in properties.items():
        for kind, value in VALUES:
            if kind != parameter["type"] and not (kind == "null" and key not in required):
                assert parameter["type"] in told(right | {key: value}), (key, kind)
    for unknown in ["unknown", "", "__proto__", "Service_Name", "🍕"]:
        assert f"'{unknown}'" in told(right | {unknown: 1})


def test_an_integer_may_be_written_with_a_fraction_of_zero(mcp: Endpoint, name: str) -> None:
    mcp.done("create_role", role_name=name)
    for number in [10**15, 1e15, 2**63 - 1, 2**63, 1e300]:
        result = mcp.tool("attach_role_to_tool", tool_id=number, role_name=name)
        assert "not found" in result["content"][0]["text"], "an integer, but no tool's"


BUSINESS = {
    "unknown role": ("remove_role", {"role_name": "no such role"}),
    "empty name": ("create_role", {"role_name": ""}),
    "long name": ("create_role", {"role_name": "x" * 1000}),
    "control characters": ("create_role", {"role_name": "a\u0000b"}),
    "long prompt": ("create_role", {"role_name": "long", "default_system_prompt": "x" * 8193}),
    "unknown user": ("assign_role_to_user", {"user_id": "nobody", "role_name": "no such role"}),
    "unknown service to refresh": ("refresh_service", {"service_name": "no such service"}),
    "unknown service to remove": ("remove_service", {"service_name": "no such service"}),
    "unknown service to update": ("update_service", {"service_name": "no such service", "description": "x"}),
    "unknown service to authorize": (
        "authorize_user_to_service",
        {"service_name": "no such service", "user_id": "u", "token": "t"},
    ),
    "unknown service to approve": ("approve_tool_changes", {"service_name": "no such service"}),
    "unknown tool": ("attach_role_to_tool", {"tool_id": 10**9, "role_name": "no such role"}),
    "nobody there": (
        "add_service",
        {
            "service_name": "dead",
            "endpoint": "http://127.0.0.1:1/mcp",
            "description": "x",
            "requires_authorization": False,
        },
    ),
    "no URL": (
        "add_service",
        {"service_name": "dead", "endpoint": "pizza", "description": "x", "requires_authorization": False},
    ),
}


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("tool, arguments", BUSINESS.values(), ids=BUSINESS.keys())
def test_errors_of_the_business_are_told_to_the_model(
    mcp: Endpoint, tool: str, arguments: dict[str, Any], era: str
) -> None:
    params = {"name": tool, "arguments": arguments}
    reply = mcp.legacy("tools/call", params) if era == "legacy" else mcp.modern("tools/call", params)
    assert reply.outcome == (200, None)
    assert reply.result["isError"] is True
    text = reply.result["content"][0]["text"]
    assert text.startswith(f"Error calling tool '{tool}': ") and len(text) < 400
    for sign in [".swift", "SQL", "Optional(", "Error Domain", "NIO"]:
        assert sign not in text


def test_an_unknown_service_has_no_tools(mcp: Endpoint) -> None:
    assert mcp.done("get_tools", service_name="no such service") == []


def test_a_taken_name_is_told_to_the_model(mcp: Endpoint, name: str) -> None:
    mcp.done("create_role", role_name=name)
    assert name in mcp.tool("create_role", role_name=name)["content"][0]["text"]


# --- every tool once with success: its output is checked against its own schema


def test_all_tools_succeed(mcp: Endpoint, plain: str, name: str) -> None:
    called: set[str] = set()

    def done(tool: str, **arguments: Any) -> Any:
        called.add(tool)
        return mcp.done(tool, **arguments)

    mcp.registry.http("POST", "/register_user", {"user_id": name})
    done("create_role", role_name=name, default_system_prompt="Grüße 🍕")
    done("set_role_system_prompt", role_name=name, default_system_prompt="")
    done("assign_role_to_user", user_id=name, role_name=name)
    assert [name, name] in done("list_users")
    assert {"name": name, "default_system_prompt": ""} in done("list_roles")
    done(
        "add_service",
        service_name=name,
        endpoint=f"{plain}?as={name}",
        description="Pizza 🍕.",
        requires_authorization=True,
        method_authorization="Bearer",
    )
    assert name in [service["service_name"] for service in done("list_services")]
    tools = done("get_tools", service_name=name)
    assert [tool["name"] for tool in tools] == ["menu", "price", "order"]
    done("attach_role_to_tool", tool_id=tools[0]["id"], role_name=name)
    found = done("find_tools", query="pizzas", role=name)
    assert [(tool["service_name"], tool["name"]) for tool in found] == [(name, "menu")]
    assert done("find_tools", query="no such words at all") == []
    done("detach_role_from_tool", tool_id=tools[0]["id"], role_name=name)
    done("authorize_user_to_service", service_name=name, user_id=name, token="secret")
    done("grant_user_token", service_name=name, user_id=name, agent="key:agent")
    assert [token["granted_to"] for token in done("list_user_tokens", user_id=name)] == [["key:agent"]]
    done("withdraw_user_token", service_name=name, user_id=name, agent="key:agent")
    done("revoke_user_token", service_name=name, user_id=name)
    done("authorize_user_to_service", service_name=name, user_id=name, token="secret")
    done("refresh_service", service_name=name)
    assert "authorize again" in done("update_service", service_name=name, endpoint=f"{plain}?moved={name}")
    done("update_service", service_name=name, description="Better pizza.", method_authorization="Basic")
    assert done("list_tool_changes", service_name=name) == []
    done("approve_tool_changes", service_name=name)
    assert set(done("whoami")) >= {"name", "may"}
    done("remove_role_from_user", user_id=name, role_name=name)
    done("remove_role", role_name=name)
    done("remove_service", service_name=name)
    assert called == set(mcp.tools), "each tool that is listed"


def test_whoami_names_the_administrator(guarded: Endpoint) -> None:
    assert "administrator" in guarded.done("whoami")["may"]


@pytest.mark.parametrize("version", [None, *LEGACY])
def test_results_are_alike_in_all_versions(mcp: Endpoint, version: str | None) -> None:
    legacy = mcp.legacy("tools/call", {"name": "list_services"}, version=version).result
    modern = mcp.modern("tools/call", {"name": "list_services"}).result
    assert legacy == {key: value for key, value in modern.items() if key not in ("resultType", "_meta")}


def test_calls_at_the_same_time_are_all_answered(mcp: Endpoint, name: str) -> None:
    def create(number: int) -> bool:
        params = {"name": "create_role", "arguments": {"role_name": f"{name}-{number % 8}"}}
        return mcp.send(call("tools/call", params, number)).result["isError"]

    with ThreadPoolExecutor(8) as pool:
        failed = list(pool.map(create, range(32)))
    assert failed.count(False) == 8, "each role was created once"
