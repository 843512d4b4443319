"""Section 4: requests of the era of handshakes, served without any state."""

import json
from typing import Any

import pytest

from endpoint import ABSENT, VERSION_KEY, Endpoint, call, meta, modern_call
from specification import LEGACY, MODERN, NEWEST_LEGACY

pytest_plugins = ["deployments"]

CLIENT = {"capabilities": {}, "clientInfo": {"name": "wire", "version": "1"}}
ANY_LEGACY = [None, *LEGACY]


# --- initialize


@pytest.mark.parametrize("header", ANY_LEGACY)
@pytest.mark.parametrize("version", LEGACY)
def test_initialize_agrees_to_a_known_version_whatever_the_header(
    mcp: Endpoint, version: str, header: str | None
) -> None:
    result = mcp.legacy("initialize", {"protocolVersion": version} | CLIENT, version=header).result
    assert result["protocolVersion"] == version
    assert result["capabilities"] == {"tools": {}, "resources": {}, "prompts": {}}
    assert result["serverInfo"]["name"] == "mcp-registry" and result["serverInfo"]["version"]
    assert result["instructions"]


@pytest.mark.parametrize(
    "version", [MODERN, "2027-01-01", "1999-01-01", "v999", "", "2025-11-25 ", "2025-6-18", "x" * 500]
)
def test_initialize_offers_the_newest_legacy_version_for_any_other(mcp: Endpoint, version: str) -> None:
    result = mcp.legacy("initialize", {"protocolVersion": version} | CLIENT).result
    assert result["protocolVersion"] == NEWEST_LEGACY


@pytest.mark.parametrize("version", [ABSENT, None, 5, 20251125, True, [], ["2025-11-25"], {}], ids=repr)
def test_initialize_without_a_version_that_is_text_is_malformed(mcp: Endpoint, version: Any) -> None:
    params = CLIENT if version is ABSENT else {"protocolVersion": version} | CLIENT
    assert mcp.legacy("initialize", params).outcome == (200, -32602)


def test_initialize_without_params_is_malformed(mcp: Endpoint) -> None:
    assert mcp.legacy("initialize").outcome == (200, -32602)


@pytest.mark.parametrize(
    "params",
    [
        CLIENT | {"capabilities": {"sampling": {}, "roots": {"listChanged": True}}},
        {"capabilities": {"elicitation": {}, "experimental": {"x": {}}, "tasks": {}}, "clientInfo": {"name": ""}},
        {},
        {"capabilities": {}},
        {"capabilities": 5, "clientInfo": "x"},
    ],
    ids=["mcp 1.6", "everything", "nothing", "no name", "nonsense"],
)
def test_initialize_does_not_depend_on_the_client(mcp: Endpoint, params: dict[str, Any]) -> None:
    result = mcp.legacy("initialize", {"protocolVersion": "2025-06-18"} | params).result
    assert result == mcp.legacy("initialize", {"protocolVersion": "2025-06-18"} | CLIENT).result


@pytest.mark.parametrize("id", [0, 1, "x"])
def test_a_handshake_as_clients_do_it(mcp: Endpoint, id: Any) -> None:
    """initialize with id 0 and without headers, then the notification, then requests without params."""
    body = {"method": "initialize", "params": {"protocolVersion": NEWEST_LEGACY} | CLIENT, "jsonrpc": "2.0", "id": id}
    version = mcp.send(body).result["protocolVersion"]
    fields = {"MCP-Protocol-Version": version}
    assert mcp.send({"method": "notifications/initialized", "jsonrpc": "2.0"}, **fields).status == 202
    assert mcp.send({"method": "tools/list", "jsonrpc": "2.0", "id": 1}, **fields).result["tools"]
    called = {"name": "list_users", "arguments": {}, "_meta": {"progressToken": 4}}
    assert mcp.send(call("tools/call", called, 4), **fields).result["isError"] is False


# --- no state


@pytest.mark.parametrize("version", ANY_LEGACY)
def test_requests_are_served_without_a_handshake(mcp: Endpoint, version: str | None) -> None:
    assert mcp.legacy("ping", version=version).result == {}
    assert mcp.legacy("tools/list", version=version).result["tools"]
    assert mcp.legacy("tools/call", {"name": "list_users"}, version=version).result["isError"] is False
    assert mcp.legacy("resources/list", version=version).result["resources"]
    assert mcp.legacy("prompts/list", version=version).result["prompts"] == []


NOT_OFFERED = [
    "logging/setLevel",
    "completion/complete",
    "resources/subscribe",
    "resources/unsubscribe",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "tasks/cancel",
    "roots/list",
    "sampling/createMessage",
    "elicitation/create",
    "server/discover",
    "subscriptions/listen",
    "unknown/method",
    "tools/List",
    "Ping",
    "",
    "rpc.discover",
    "a" * 5000,
]


@pytest.mark.parametrize("version", ANY_LEGACY)
@pytest.mark.parametrize("method", NOT_OFFERED, ids=lambda method: method[:30])
def test_what_is_not_offered_is_an_unknown_method_with_200(mcp: Endpoint, method: str, version: str | None) -> None:
    reply = mcp.legacy(method, {"level": "debug", "uri": "registry://services"}, version=version)
    assert reply.outcome == (200, -32601)
    assert len(reply.error["message"]) < 300


# --- an understood legacy request is always HTTP 200

METHODS = [
    "initialize",
    "ping",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "resources/subscribe",
    "server/discover",
    "unknown/method",
]
NONSENSE: list[Any] = [None, True, 0, -1.5, "", "x", "\u0000", [], [1], {}, {"a": {"b": [None]}}]
BAD_PARAMS: dict[str, Any] = {
    "no params": ABSENT,
    "empty": {},
    "unknown": {"unknown": 1, "": None, "\u0000": "\u0000"},
    "meta": [{"_meta": value} for value in NONSENSE if not isinstance(value, dict)],
    "progress token": [{"_meta": {"progressToken": value}} for value in NONSENSE],
    "cursor": [{"cursor": value} for value in NONSENSE],
    "name": [{"name": value} for value in NONSENSE],
    "unknown tool": {"name": "nope", "arguments": {}},
    "arguments": [{"name": "list_users", "arguments": value} for value in NONSENSE],
    "wrong argument": [{"name": "remove_role", "arguments": {"role_name": value}} for value in NONSENSE],
    "uri": [{"uri": value} for value in NONSENSE],
    "protocolVersion": [{"protocolVersion": value} for value in NONSENSE],
    "task": [{"task": value} for value in NONSENSE],
    "deep": {"a": json.loads("[" * 50 + "]" * 50)},
    "wide": {f"key{number}": number for number in range(3000)},
    "long": {"name": "x" * 100_000, "uri": "y" * 100_000, "protocolVersion": "z" * 100_000},
}


@pytest.mark.parametrize("version", ANY_LEGACY)
@pytest.mark.parametrize("kind", BAD_PARAMS)
def test_an_understood_legacy_request_always_gets_200(mcp: Endpoint, kind: str, version: str | None) -> None:
    variants = BAD_PARAMS[kind] if isinstance(BAD_PARAMS[kind], list) else [BAD_PARAMS[kind]]
    for method in METHODS:
        for params in variants:
            reply = mcp.legacy(method, params, version=version, id=f"{method}?")
            assert reply.status == 200, (method, params)
            assert reply.message["id"] == f"{method}?"
            if reply.outcome[1] is not None:
                assert reply.outcome[1] in (-32601, -32602, -32002), (method, params)


def test_every_tool_with_nonsense_gets_200_on_a_legacy_request(mcp: Endpoint) -> None:
    for name, tool in mcp.tools.items():
        if name in ("add_service", "update_service", "refresh_service"):
            continue
        for value in NONSENSE:
            arguments = dict.fromkeys(tool["inputSchema"].get("properties", {"x": 1}), value)
            assert mcp.legacy("tools/call", {"name": name, "arguments": arguments}).outcome == (200, None)


@pytest.mark.parametrize("uri", ["nope", "registry://nope", "registry://services/nope", ""])
@pytest.mark.parametrize("version", ANY_LEGACY)
def test_an_unknown_resource_has_the_code_of_its_time(mcp: Endpoint, version: str | None, uri: str) -> None:
    reply = mcp.legacy("resources/read", {"uri": uri}, version=version)
    assert reply.outcome == (200, -32002)
    assert reply.error["data"]["uri"] == uri


@pytest.mark.parametrize("method", ["tools/list", "resources/list", "resources/templates/list", "prompts/list"])
@pytest.mark.parametrize("cursor", ["", "x", 5, []], ids=repr)
def test_an_unknown_cursor_is_an_error_with_200(mcp: Endpoint, cursor: Any, method: str) -> None:
    assert mcp.legacy(method, {"cursor": cursor}).outcome == (200, -32602)


@pytest.mark.parametrize("task", [{}, {"ttl": 60000}, None, 5], ids=repr)
def test_a_wish_for_a_task_is_ignored(mcp: Endpoint, task: Any) -> None:
    result = mcp.legacy("tools/call", {"name": "list_users", "task": task}, version="2025-11-25").result
    assert result["isError"] is False


@pytest.mark.parametrize("version", LEGACY)
@pytest.mark.parametrize("method", ["tools/list", "tools/call", "resources/read", "initialize"])
def test_meta_with_a_legacy_version_changes_nothing(mcp: Endpoint, method: str, version: str) -> None:
    params: dict[str, Any] = {"name": "list_users", "uri": "registry://services", "protocolVersion": version} | CLIENT
    plain = mcp.legacy(method, params, version=version).result
    assert mcp.legacy(method, params | {"_meta": {VERSION_KEY: version}}, version=version).result == plain


# --- batches

BATCH = [call("ping", id=1), call("tools/list", id="two"), call("nope", id=3)]


@pytest.mark.parametrize("header", [None, "2025-03-26"])
def test_a_batch_gets_one_answer_for_each_request(mcp: Endpoint, header: str | None) -> None:
    notification = call("notifications/initialized", id=ABSENT)
    reply = mcp.send([BATCH[0], notification, *BATCH[1:], notification], **{"MCP-Protocol-Version": header})
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert [answer["id"] for answer in reply.message] == [1, "two", 3]
    assert reply.message[2]["error"]["code"] == -32601


@pytest.mark.parametrize("header", ["2024-11-05", "2025-06-18", "2025-11-25", MODERN, "v999"])
@pytest.mark.parametrize("batch", [BATCH, BATCH[:1], [call("notifications/initialized", id=ABSENT)]], ids=len)
def test_no_other_version_has_batches(mcp: Endpoint, header: str, batch: list[Any]) -> None:
    assert mcp.send(batch, **{"MCP-Protocol-Version": header}).outcome == (400, -32600)


@pytest.mark.parametrize("header", [None, *LEGACY, MODERN])
def test_an_empty_batch_is_refused(mcp: Endpoint, header: str | None) -> None:
    assert mcp.send([], **{"MCP-Protocol-Version": header}).outcome == (400, -32600)


def test_a_batch_with_a_modern_message_is_refused(mcp: Endpoint) -> None:
    assert mcp.send([*BATCH, modern_call("tools/list")]).outcome == (400, -32600)
    assert mcp.send([*BATCH, call("ping", {"_meta": meta("v999")})]).outcome == (400, -32600)


def test_a_batch_with_a_handshake_is_refused(mcp: Endpoint) -> None:
    handshake = call("initialize", {"protocolVersion": "2025-03-26"} | CLIENT)
    assert mcp.send([handshake]).outcome == (400, -32600)
    assert mcp.send([*BATCH, handshake]).outcome == (400, -32600)


def test_a_batch_has_at_most_twenty_messages(mcp: Endpoint) -> None:
    assert len(mcp.send([call("ping", id=number) for number in range(20)]).message) == 20
    assert mcp.send([call("ping", id=number) for number in range(21)]).outcome == (400, -32600)


@pytest.mark.parametrize(
    "batch",
    [
        [call("notifications/initialized", id=ABSENT)],
        [call("notifications/initialized", id=ABSENT), call("ping", id=ABSENT)],
        [{"jsonrpc": "2.0", "id": 1, "result": {}}],
        [{"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "x"}}, call("anything", id=ABSENT)],
    ],
    ids=["a notification", "notifications", "a response", "both"],
)
def test_a_batch_without_requests_gets_202(mcp: Endpoint, batch: list[Any]) -> None:
    assert mcp.send(batch).status == 202


@pytest.mark.parametrize("element", [1, "x", None, [], [call("ping")], {}, {"jsonrpc": "1.0", "id": 1}], ids=repr)
def test_what_is_no_message_in_a_batch_is_an_error_beside_the_answers(mcp: Endpoint, element: Any) -> None:
    answers = mcp.send([call("ping", id=7), element]).message
    assert answers[0] == {"jsonrpc": "2.0", "id": 7, "result": {}}
    assert answers[1]["error"]["code"] == -32600


def test_equal_ids_in_a_batch_are_both_answered(mcp: Endpoint) -> None:
    assert [answer["id"] for answer in mcp.send([call("ping"), call("tools/list")]).message] == [1, 1]


# --- 2024-11-05


def test_the_first_revision_is_served_over_streamable_http_only(mcp: Endpoint) -> None:
    result = mcp.legacy("initialize", {"protocolVersion": "2024-11-05"} | CLIENT).result
    assert result["protocolVersion"] == "2024-11-05"
    assert mcp.legacy("tools/list", version="2024-11-05").result["tools"]
    reply = mcp.send(None, verb="GET", Accept="text/event-stream", **{"Content-Type": None})
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")


# --- headers


@pytest.mark.parametrize("version", ANY_LEGACY)
@pytest.mark.parametrize(
    "fields", [{"Mcp-Method": "wrong"}, {"Mcp-Name": "wrong"}, {"Mcp-Name": ["=?base64?%?=", "x"]}], ids=str
)
def test_the_mirrors_of_2026_mean_nothing_on_a_legacy_request(
    mcp: Endpoint, fields: dict[str, Any], version: str | None
) -> None:
    message = call("tools/call", {"name": "list_users"})
    assert mcp.send(message, **{"MCP-Protocol-Version": version}, **fields).result["isError"] is False


@pytest.mark.parametrize("versions", [["2025-11-25"] * 2, ["2025-06-18", "2025-11-25"]], ids=["same", "other"])
def test_a_version_that_is_given_twice_is_named_as_the_fault(mcp: Endpoint, versions: list[str]) -> None:
    reply = mcp.send(call("ping"), **{"MCP-Protocol-Version": versions})
    assert reply.outcome == (400, -32020)
    assert reply.error["message"].endswith("MCP-Protocol-Version is repeated")


def test_a_batch_can_be_one_event_too(mcp: Endpoint) -> None:
    reply = mcp.send(BATCH, Accept="text/event-stream")
    assert reply.headers["Content-Type"] == "text/event-stream"
    assert [answer["id"] for answer in reply.message] == [1, "two", 3]
