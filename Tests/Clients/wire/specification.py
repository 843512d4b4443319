"""What MCP and this registry's rules demand of every message that the endpoint sends, whatever it is an answer to."""

import json
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.protocols import Validator

LEGACY = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
ASSUMED_LEGACY = "2025-03-26"
NEWEST_LEGACY = "2025-11-25"
MODERN = "2026-07-28"
VERSIONS = [*LEGACY, MODERN]

META = "io.modelcontextprotocol/"

# The result type of each method, where it has one of its own.
RESULT_TYPES = {
    "initialize": "InitializeResult",
    "ping": "EmptyResult",
    "server/discover": "DiscoverResult",
    "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult",
    "resources/list": "ListResourcesResult",
    "resources/templates/list": "ListResourceTemplatesResult",
    "resources/read": "ReadResourceResult",
    "prompts/list": "ListPromptsResult",
}
CACHEABLE = set(RESULT_TYPES) - {"initialize", "ping", "tools/call"}
MODERN_ONLY = {"resultType", "ttlMs", "cacheScope", "_meta"}

# The error types of 2026-07-28: the first describe `error`, the last two the whole message.
ERROR_TYPES = {
    -32700: "ParseError",
    -32600: "InvalidRequestError",
    -32601: "MethodNotFoundError",
    -32602: "InvalidParamsError",
    -32603: "InternalError",
}
ERROR_MESSAGE_TYPES = {-32020: "HeaderMismatchError", -32022: "UnsupportedProtocolVersionError"}

# How many messages were held against which type: told at the end of the run.
validated: Counter[str] = Counter()


@lru_cache(maxsize=None)
def validator(version: str, name: str) -> Validator:
    """What checks a value against one type of a revision."""
    schema = json.loads((Path(__file__).parent / "schemas" / f"{version}.json").read_text())
    definitions = "$defs" if "$defs" in schema else "definitions"
    assert name in schema[definitions], f"{version} has no {name}"
    kind = Draft202012Validator if definitions == "$defs" else Draft7Validator
    kind.check_schema(schema)
    return kind({"$schema": schema["$schema"], "$ref": f"#/{definitions}/{name}", definitions: schema[definitions]})


def check(version: str, name: str, value: Any) -> None:
    """Expects a value to be of a type of a revision."""
    problems = problems_of(version, name, json.dumps(value))
    assert not problems, f"no {name} of {version}: {problems}: {value}"
    validated[f"{version} {name}"] += 1


@lru_cache(maxsize=None)
def problems_of(version: str, name: str, text: str) -> list[str]:
    """Why a value, given as JSON, is not of a type of a revision. Remembered, as long lists come again and again."""
    errors = validator(version, name).iter_errors(json.loads(text))
    return [f"{error.json_path}: {error.message[:300]}" for error in errors]


def parse(text: str) -> Any:
    """Reads JSON strictly: each key once, no NaN, no Infinity."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({key for key, _ in pairs}) == len(pairs), f"a key twice: {pairs}"
        return dict(pairs)

    def constant(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, object_pairs_hook=members, parse_constant=constant)


def check_message(version: str, method: str | None, message: Any) -> None:
    """Expects one valid answer of a revision; `method` is what was asked for, or None."""
    assert isinstance(message, dict), message
    assert message.get("jsonrpc") == "2.0", message
    assert set(message) <= {"jsonrpc", "id", "result", "error"}, message
    assert ("result" in message) != ("error" in message), message
    if "error" in message:
        check_error(version, message)
        return
    # Each is one of the kinds of JSONRPCMessage: the one that this message must be.
    check(version, "JSONRPCResultResponse" if version >= NEWEST_LEGACY else "JSONRPCResponse", message)
    assert method in RESULT_TYPES, f"a result of {method}: {message}"
    check(version, RESULT_TYPES[method], message["result"])
    (check_modern_result if version == MODERN else check_legacy_result)(method, message["result"])
    if method == "tools/list":
        check_tools(json.dumps(message["result"]["tools"]))


def check_error(version: str, message: dict[str, Any]) -> None:
    """An error without an id is only a message since 2025-11-25: there is nothing older that it could be instead."""
    if "id" not in message and version < NEWEST_LEGACY:
        version = NEWEST_LEGACY
    check(version, "JSONRPCErrorResponse" if version >= NEWEST_LEGACY else "JSONRPCError", message)
    error = message["error"]
    assert set(error) <= {"code", "message", "data"}, error
    assert error["message"], error
    for sign in [".swift", "Fatal", "Optional(", "SELECT ", "SQLITE"]:
        assert sign not in error["message"], f"this is not for callers: {error}"
    if version == MODERN:
        assert error["code"] in ERROR_TYPES or error["code"] in ERROR_MESSAGE_TYPES, f"not to be used in 2026: {error}"
        if error["code"] in ERROR_TYPES:
            check(version, ERROR_TYPES[error["code"]], error)
        else:
            check(version, ERROR_MESSAGE_TYPES[error["code"]], message)
    else:
        assert error["code"] in ERROR_TYPES or error["code"] == -32002, f"unknown to legacy clients: {error}"


def check_modern_result(method: str, result: dict[str, Any]) -> None:
    """resultType, the server's name, and caching hints exactly where 2026-07-28 wants them."""
    assert result["resultType"] == "complete"
    server = result["_meta"].get(META + "serverInfo")
    assert server and server["name"] == "mcp-registry" and server["version"], result["_meta"]
    if method not in CACHEABLE:
        assert not {"ttlMs", "cacheScope"} & set(result), result
        return
    assert result["cacheScope"] == "private"
    assert type(result["ttlMs"]) is int
    assert 0 <= result["ttlMs"] <= (60_000 if method == "resources/read" else 300_000)


def check_legacy_result(method: str, result: dict[str, Any]) -> None:
    """Nothing of 2026-07-28."""
    assert not MODERN_ONLY & set(result), result
    if method == "ping":
        assert result == {}


def references(schema: Any) -> list[str]:
    """Every reference in a schema."""
    if isinstance(schema, list):
        return [found for element in schema for found in references(element)]
    if not isinstance(schema, dict):
        return []
    own = [schema[key] for key in ("$ref", "$dynamicRef") if isinstance(schema.get(key), str)]
    return own + [found for value in schema.values() for found in references(value)]


@lru_cache(maxsize=None)
def check_tools(text: str) -> None:
    """Checks each tool of a list, given as JSON: once."""
    for tool in json.loads(text):
        check_tool(tool)


def check_tool(tool: dict[str, Any]) -> None:
    """What MCP, the conformance suite and this registry's rules want of a tool's definition."""
    name = tool["name"]
    assert 1 <= len(name) <= 64 and all(c.isascii() and (c.isalnum() or c in "_.-") for c in name), name
    assert tool["title"].strip() and tool["description"].strip(), name
    for schema in [tool["inputSchema"], tool["outputSchema"]]:
        Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object", name
        assert all(reference.startswith("#") for reference in references(schema)), name
        assert "x-mcp-header" not in json.dumps(schema), name
    assert tool["inputSchema"]["additionalProperties"] is False, name
    for parameter, schema in tool["inputSchema"].get("properties", {}).items():
        assert schema["description"].strip(), f"{name}: {parameter}"
    hints = tool["annotations"]
    assert set(hints) == {"title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}, name
    assert not (hints["readOnlyHint"] and hints["destructiveHint"]), name
    validated["tool definitions (2020-12 metaschema)"] += 1


def check_structured_content(tool: dict[str, Any], result: dict[str, Any]) -> None:
    """A success conforms to the tool's own schema, and says the same as text; a failure has a text."""
    assert all(block["type"] == "text" for block in result["content"]), result
    if result["isError"]:
        assert "structuredContent" not in result and result["content"][0]["text"].strip(), result
        return
    Draft202012Validator(tool["outputSchema"]).validate(result["structuredContent"])
    value = result["structuredContent"]["result"]
    texts = [block["text"] for block in result["content"]]
    if value == []:
        assert texts == []
    elif isinstance(value, str):
        assert texts == [value]
    else:
        assert [parse(text) for text in texts] == [value]
    validated[f"output of {tool['name']}"] += 1
