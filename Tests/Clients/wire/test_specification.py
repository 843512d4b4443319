"""The checks that every answer goes through notice what they are there for."""

from copy import deepcopy
from typing import Any

import pytest

from endpoint import Endpoint
from specification import MODERN, check_message, check_structured_content, check_tool, parse

pytest_plugins = ["deployments"]

INFO = {"io.modelcontextprotocol/serverInfo": {"name": "mcp-registry", "version": "1"}}
RESULT = {"prompts": [], "resultType": "complete", "ttlMs": 1, "cacheScope": "private", "_meta": INFO}
ERROR = {"code": -32602, "message": "no"}


def answer(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1} | members


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in RESULT.items() if name != key}


GOOD: list[tuple[str, str | None, Any]] = [
    (MODERN, "prompts/list", answer(result=RESULT)),
    (MODERN, None, answer(error=ERROR)),
    ("2025-06-18", "prompts/list", answer(result={"prompts": []})),
    ("2025-06-18", "ping", answer(result={})),
    ("2025-11-25", None, {"jsonrpc": "2.0", "error": ERROR}),
]
BAD: dict[str, tuple[str, str | None, Any]] = {
    "no object": (MODERN, None, []),
    "no version": (MODERN, None, {"id": 1, "error": ERROR}),
    "id null": ("2025-11-25", None, answer(id=None, error=ERROR)),
    "id a fraction": (MODERN, None, answer(id=1.5, error=ERROR)),
    "result and error": (MODERN, "prompts/list", answer(result=RESULT, error=ERROR)),
    "neither": (MODERN, None, answer()),
    "an extra member": (MODERN, None, answer(error=ERROR, extra=1)),
    "a code that is a text": (MODERN, None, answer(error={"code": "x", "message": "no"})),
    "no message": (MODERN, None, answer(error={"code": -32602})),
    "an empty message": (MODERN, None, answer(error={"code": -32602, "message": ""})),
    "a place in the source": (MODERN, None, answer(error={"code": -32603, "message": "at Main.swift:7"})),
    "a legacy code in 2026": (MODERN, None, answer(error={"code": -32002, "message": "no"})),
    "a code of 2026 before": ("2025-11-25", None, answer(error={"code": -32020, "message": "no"})),
    "an unsupported version without data": (MODERN, None, answer(error={"code": -32022, "message": "no"})),
    "no list": (MODERN, "tools/list", answer(result=without("prompts"))),
    "a list of texts": ("2025-06-18", "tools/list", answer(result={"tools": ["x"]})),
    "a result of nothing": (MODERN, None, answer(result=RESULT)),
    "ping with a member": ("2025-06-18", "ping", answer(result={"x": 1})),
    "no resultType": (MODERN, "prompts/list", answer(result=without("resultType"))),
    "no server": (MODERN, "prompts/list", answer(result=RESULT | {"_meta": {}})),
    "no ttlMs": (MODERN, "prompts/list", answer(result=without("ttlMs"))),
    "ttlMs true": (MODERN, "prompts/list", answer(result=RESULT | {"ttlMs": True})),
    "ttlMs below 0": (MODERN, "prompts/list", answer(result=RESULT | {"ttlMs": -1})),
    "a public scope": (MODERN, "prompts/list", answer(result=RESULT | {"cacheScope": "public"})),
    "hints on a call": (MODERN, "tools/call", answer(result=RESULT | {"content": [], "isError": False})),
    "resultType before 2026": ("2025-11-25", "prompts/list", answer(result={"prompts": [], "resultType": "complete"})),
    "hints before 2026": ("2025-06-18", "prompts/list", answer(result={"prompts": [], "ttlMs": 1})),
}


@pytest.mark.parametrize("version, method, message", GOOD)
def test_good_messages_pass(version: str, method: str | None, message: Any) -> None:
    check_message(version, method, message)


@pytest.mark.parametrize("version, method, message", BAD.values(), ids=BAD.keys())
def test_bad_messages_do_not(version: str, method: str | None, message: Any) -> None:
    with pytest.raises(AssertionError):
        check_message(version, method, message)


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', "NaN", "[Infinity]", "{"])
def test_bad_json_does_not(text: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        parse(text)


@pytest.mark.parametrize(
    "path, value",
    [
        (["name"], "a b"),
        (["name"], "a" * 65),
        (["description"], " "),
        (["inputSchema", "type"], "array"),
        (["inputSchema", "type"], "obj"),
        (["inputSchema", "additionalProperties"], True),
        (["inputSchema", "properties", "x"], {"$ref": "https://example.com/schema", "description": "x"}),
        (["inputSchema", "properties", "x"], {"type": "string", "x-mcp-header": "X", "description": "x"}),
        (["inputSchema", "properties", "x"], {"type": "string"}),
        (["outputSchema", "type"], "string"),
        (["annotations", "destructiveHint"], True),
    ],
)
def test_a_bad_definition_of_a_tool_does_not(mcp: Endpoint, path: list[str], value: Any) -> None:
    tool = deepcopy(mcp.tools["list_users"])
    check_tool(tool)
    tool["inputSchema"].setdefault("properties", {})
    inner = tool
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(Exception, match=""):
        check_tool(tool)


@pytest.mark.parametrize(
    "change",
    [
        {"structuredContent": {}},
        {"structuredContent": {"result": "x"}},
        {"structuredContent": {"result": [["a"]]}},
        {"content": [{"type": "text", "text": "something else"}]},
        {"content": []},
        {"isError": True},
    ],
    ids=str,
)
def test_a_result_that_is_not_as_promised_does_not(mcp: Endpoint, change: dict[str, Any]) -> None:
    good = {
        "content": [{"type": "text", "text": '[["a","b"]]'}],
        "structuredContent": {"result": [["a", "b"]]},
        "isError": False,
    }
    check_structured_content(mcp.tools["list_users"], good)
    with pytest.raises(Exception, match=""):
        check_structured_content(mcp.tools["list_users"], good | change)
