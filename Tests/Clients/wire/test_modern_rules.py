"""Section 3: what a request of 2026-07-28 must satisfy, and which failure is reported first."""

import base64
from itertools import combinations
from typing import Any
from urllib.parse import quote

import pytest

from endpoint import (
    ABSENT,
    CAPABILITIES_KEY,
    CLIENT_KEY,
    VERSION_KEY,
    Endpoint,
    Fields,
    call,
    meta,
    modern_call,
    modern_fields,
)
from specification import LEGACY, META, MODERN, RESULT_TYPES

pytest_plugins = ["deployments"]

REMOVED = ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"]
NEVER_OFFERED = [
    "completion/complete",
    "subscriptions/listen",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "tasks/cancel",
    "sampling/createMessage",
    "roots/list",
    "elicitation/create",
    "unknown/method",
    "tools",
    "tools/List",
    "TOOLS/LIST",
    "tools/list ",
    "server/Discover",
    "",
]


def sentinel(data: bytes | str) -> str:
    """A value of Mcp-Name in its encoded form."""
    return f"=?base64?{base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()}?="


def tool_call(name: Any, **fields: Any) -> tuple[dict[str, Any], Fields]:
    """A call of a tool that changes nothing, with fields as they should be but for `fields`."""
    message = modern_call("tools/call", {"name": name, "arguments": {}})
    return message, modern_fields(message) | fields


# --- 1: _meta


@pytest.mark.parametrize("own", [ABSENT, None, 5, "x", [], True, {}], ids=repr)
@pytest.mark.parametrize("method", ["tools/list", "server/discover", "tools/call", "unknown/method", "initialize"])
def test_1_meta_must_be_an_object_with_what_is_needed(mcp: Endpoint, method: str, own: Any) -> None:
    params = {} if own is ABSENT else {"_meta": own}
    reply = mcp.send(call(method, params), **{"MCP-Protocol-Version": MODERN, "Mcp-Method": method})
    assert reply.outcome == (400, -32602)


@pytest.mark.parametrize("value", [ABSENT, None, 5, True, [], {}], ids=repr)
def test_1_the_version_must_be_a_text(mcp: Endpoint, value: Any) -> None:
    own = {key: entry for key, entry in (meta() | {VERSION_KEY: value}).items() if entry is not ABSENT}
    reply = mcp.send(call("tools/list", {"_meta": own}), **{"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list"})
    assert reply.outcome == (400, -32602)


@pytest.mark.parametrize("value", [ABSENT, None, 5, "x", True, [], [{}]], ids=repr)
@pytest.mark.parametrize("method", ["tools/list", "server/discover"])
def test_1_the_client_capabilities_must_be_an_object(mcp: Endpoint, method: str, value: Any) -> None:
    own = {key: entry for key, entry in (meta() | {CAPABILITIES_KEY: value}).items() if entry is not ABSENT}
    reply = mcp.send(call(method, {"_meta": own}), **{"MCP-Protocol-Version": MODERN, "Mcp-Method": method})
    assert reply.outcome == (400, -32602)


@pytest.mark.parametrize(
    "info", [ABSENT, {"name": "x", "version": "1"}, {"name": "x", "version": "1", "title": "y", "icons": []}], ids=repr
)
def test_1_who_the_client_is_does_not_matter(mcp: Endpoint, info: Any) -> None:
    own = {key: entry for key, entry in (meta() | {CLIENT_KEY: info}).items() if entry is not ABSENT}
    assert mcp.modern("tools/list", {"_meta": own}).result == mcp.modern("tools/list").result


@pytest.mark.parametrize(
    "more",
    [
        {META + "logLevel": "debug"},
        {"progressToken": 3},
        {"progressToken": "x", META + "logLevel": "debug"},
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=b"},
        {"baggage": "a=b"},
        {"traceparent": "not a trace"},
        {"com.example/unknown": {"deep": [1, {"a": None}]}},
        {CAPABILITIES_KEY: {"sampling": {}, "elicitation": {}, "experimental": {"x": {}}}},
    ],
    ids=lambda more: next(iter(more)),
)
def test_1_other_keys_of_meta_change_nothing(mcp: Endpoint, more: dict[str, Any]) -> None:
    reply = mcp.modern("tools/call", {"name": "list_users", "_meta": meta() | more})
    assert reply.result["isError"] is False
    assert reply.headers["Content-Type"] == "application/json", "no stream, so nothing before the result"


# --- 2: headers against the body


@pytest.mark.parametrize("name", ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"])
@pytest.mark.parametrize("problem", ["missing", "wrong", "empty", "repeated", "repeated differently", "listed"])
def test_2_a_header_that_differs_from_the_body_is_a_mismatch(mcp: Endpoint, problem: str, name: str) -> None:
    message, fields = tool_call("list_users")
    value = str(fields[name])
    fields[name] = {
        "missing": None,
        "wrong": value + "x",
        "empty": "",
        "repeated": [value, value],
        "repeated differently": [value, "x"],
        "listed": f"{value}, {value}",
    }[problem]
    assert mcp.send(message, **fields).outcome == (400, -32020)


@pytest.mark.parametrize("name", ["Mcp-Method", "Mcp-Name"])
def test_2_the_values_of_method_and_name_are_case_sensitive(mcp: Endpoint, name: str) -> None:
    message, fields = tool_call("list_users")
    for value in [str(fields[name]).upper(), str(fields[name]).title()]:
        assert mcp.send(message, **(fields | {name: value})).outcome == (400, -32020)


@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title, str.swapcase], ids=lambda spell: spell.__name__)
def test_2_the_names_of_headers_are_not(mcp: Endpoint, spell: Any) -> None:
    message, fields = tool_call("list_users")
    assert mcp.send(message, **{spell(name): value for name, value in fields.items()}).status == 200


@pytest.mark.parametrize("name", ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"])
@pytest.mark.parametrize("form", ["   %s", "%s   ", "\t%s\t", " \t %s \t "])
def test_2_blanks_around_a_value_do_not_count(mcp: Endpoint, form: str, name: str) -> None:
    message, fields = tool_call("list_users")
    assert mcp.send(message, **(fields | {name: form % fields[name]})).status == 200


@pytest.mark.parametrize(
    "method, params",
    [
        ("tools/call", {"name": "list_users"}),
        ("prompts/get", {"name": "x"}),
        ("resources/read", {"uri": "registry://services"}),
    ],
)
@pytest.mark.parametrize("problem", ["missing", "wrong", "right"])
def test_2_the_name_is_mirrored_where_the_method_has_one(
    mcp: Endpoint, method: str, params: dict[str, Any], problem: str
) -> None:
    message = modern_call(method, params)
    fields = modern_fields(message)
    fields["Mcp-Name"] = {"missing": None, "wrong": "x/y", "right": fields["Mcp-Name"]}[problem]
    _, code = mcp.send(message, **fields).outcome
    assert (code == -32020) == (problem != "right")


@pytest.mark.parametrize(
    "value", ["x", "", "=?base64?%%%?=", "=?base64?bGlzdF91c2Vycw?=", ["a", "b"], "\xff"], ids=repr
)
@pytest.mark.parametrize("method", ["tools/list", "server/discover", "resources/list", "prompts/list"])
def test_2_on_other_methods_the_name_is_ignored(mcp: Endpoint, method: str, value: Any) -> None:
    assert mcp.modern(method, **{"Mcp-Name": value}).status == 200


def test_2_a_call_without_a_name_is_malformed(mcp: Endpoint) -> None:
    assert mcp.modern("tools/call", {"arguments": {}}).outcome == (400, -32602)
    assert mcp.modern("resources/read").outcome == (400, -32602)


# Mcp-Name in base64

CANONICAL = sentinel("list_users")


@pytest.mark.parametrize("form", ["%s", "  %s\t"])
def test_2_base64_is_decoded_before_comparing(mcp: Endpoint, form: str) -> None:
    message, fields = tool_call("list_users", **{"Mcp-Name": form % CANONICAL})
    assert mcp.send(message, **fields).result["isError"] is False


BAD_ENCODINGS = {
    "no padding": "=?base64?bGlzdF91c2Vycw?=",
    "half the padding": "=?base64?bGlzdF91c2Vycw=?=",
    "too much padding": "=?base64?bGlzdF91c2Vycw===?=",
    "padding inside": "=?base64?bGlz=dF91c2Vycw==?=",
    "bits left over": "=?base64?bGlzdF91c2Vycx==?=",
    "URL alphabet": "=?base64?bGlzdF91c2Vycw_-?=",
    "a blank inside": "=?base64?bGlz dF91c2Vycw==?=",
    "a blank at its start": "=?base64? bGlzdF91c2Vycw==?=",
    "other bytes": "=?base64?%%%%?=",
    "one letter": "=?base64?b?=",
    "no UTF-8": sentinel(b"\xff\xfe"),
    "UTF-8 of a surrogate": sentinel(b"\xed\xa0\x80"),
    "empty": "=?base64??=",
    "another name": sentinel("list_roles"),
    "the name in other case": sentinel("LIST_USERS"),
    "the name and a blank": sentinel("list_users "),
    "twice encoded": sentinel(CANONICAL),
}


@pytest.mark.parametrize("value", BAD_ENCODINGS.values(), ids=BAD_ENCODINGS.keys())
def test_2_a_bad_encoding_or_another_name_in_base64_is_a_mismatch(mcp: Endpoint, value: str) -> None:
    message, fields = tool_call("list_users", **{"Mcp-Name": value})
    assert mcp.send(message, **fields).outcome == (400, -32020)


LITERALS = {
    "upper-case marker": "=?BASE64?bGlzdF91c2Vycw==?=",
    "mixed-case marker": "=?Base64?bGlzdF91c2Vycw==?=",
    "no suffix": "=?base64?bGlzdF91c2Vycw==",
    "half a suffix": "=?base64?bGlzdF91c2Vycw==?",
    "no prefix": "bGlzdF91c2Vycw==?=",
    "half a prefix": "?base64?bGlzdF91c2Vycw==?=",
    "another encoding": "=?utf-8?bGlzdF91c2Vycw==?=",
    "both overlapping": "=?base64?=",
}


@pytest.mark.parametrize("value", LITERALS.values(), ids=LITERALS.keys())
def test_2_without_the_exact_markers_a_value_is_literal(mcp: Endpoint, value: str) -> None:
    message, fields = tool_call("list_users", **{"Mcp-Name": value})
    assert mcp.send(message, **fields).outcome == (400, -32020), "so it is not this tool's name"
    message, fields = tool_call(value, **{"Mcp-Name": value})
    assert mcp.send(message, **fields).outcome == (400, -32602), "it is the name of a tool that does not exist"


def test_2_a_name_that_looks_encoded_must_be_encoded(mcp: Endpoint) -> None:
    message, fields = tool_call(CANONICAL, **{"Mcp-Name": CANONICAL})
    assert mcp.send(message, **fields).outcome == (400, -32020)
    message, fields = tool_call(CANONICAL, **{"Mcp-Name": sentinel(CANONICAL)})
    assert mcp.send(message, **fields).outcome == (400, -32602)


@pytest.mark.parametrize("name", ["Grüße", "🍕", " edges ", "tab\there", "", "line\nfeed", "e\u0301"], ids=ascii)
def test_2_any_name_can_be_encoded(mcp: Endpoint, name: str) -> None:
    message, fields = tool_call(name, **{"Mcp-Name": sentinel(name)})
    assert mcp.send(message, **fields).outcome == (400, -32602), "an unknown tool, not a mismatch"


def test_2_names_are_compared_by_their_bytes(mcp: Endpoint) -> None:
    message, fields = tool_call("é", **{"Mcp-Name": sentinel("e\u0301")})
    assert mcp.send(message, **fields).outcome == (400, -32020)


def test_2_a_uri_can_be_encoded_too(mcp: Endpoint) -> None:
    message = modern_call("resources/read", {"uri": "registry://services"})
    fields = modern_fields(message) | {"Mcp-Name": sentinel("registry://services")}
    assert mcp.send(message, **fields).status == 200


# --- 3: versions


@pytest.mark.parametrize("version", ["v999.0.0", "2027-01-01", "2026-07-29", "DRAFT-2026-v1", "x" * 200])
@pytest.mark.parametrize("method", ["tools/list", "server/discover", "unknown/method", "initialize"])
def test_3_an_unknown_version_names_those_that_are_spoken(mcp: Endpoint, method: str, version: str) -> None:
    reply = mcp.modern(method, {"_meta": meta(version)})
    assert reply.outcome == (400, -32022)
    assert reply.error["data"]["requested"] == version
    supported = reply.error["data"]["supported"]
    assert MODERN in supported
    assert set(supported) <= set(mcp.modern("server/discover").result["supportedVersions"])


def test_3_a_mismatch_outranks_an_unknown_version(mcp: Endpoint) -> None:
    reply = mcp.modern("tools/list", {"_meta": meta("v999.0.0")}, **{"MCP-Protocol-Version": MODERN})
    assert reply.outcome == (400, -32020)


# --- 4: methods


@pytest.mark.parametrize("method", REMOVED + NEVER_OFFERED)
def test_4_a_method_that_is_not_there_gets_404(mcp: Endpoint, method: str) -> None:
    assert mcp.modern(method, **{"Mcp-Method": method.strip()}).outcome in [
        (404, -32601) if method == method.strip() else (400, -32020)
    ]


@pytest.mark.parametrize("method", sorted(set(RESULT_TYPES) - {"initialize", "ping", "tools/call", "resources/read"}))
def test_4_a_method_whose_capability_is_declared_is_there(mcp: Endpoint, method: str) -> None:
    assert mcp.modern(method).status == 200


def test_4_an_unknown_method_comes_before_its_parameters(mcp: Endpoint) -> None:
    assert mcp.modern("unknown/method", {"cursor": 5, "name": [], "arguments": 7}).outcome == (404, -32601)


# --- 5: parameters


@pytest.mark.parametrize("name", ["nope", "LIST_USERS", "list_users2", "a" * 5000, "list_users/"])
def test_5_an_unknown_tool_gets_400(mcp: Endpoint, name: str) -> None:
    reply = mcp.modern("tools/call", {"name": name})
    assert reply.outcome == (400, -32602)
    assert len(reply.error["message"]) < 300, "a long name is not repeated in full"


@pytest.mark.parametrize("name", [None, 5, True, [], ["list_users"], {}, {"name": "list_users"}], ids=repr)
def test_5_a_name_that_is_no_text_gets_400(mcp: Endpoint, name: Any) -> None:
    assert mcp.modern("tools/call", {"name": name}).outcome == (400, -32602)


@pytest.mark.parametrize("arguments", [None, 5, "x", True, [], [{}]], ids=repr)
def test_5_arguments_that_are_no_object_get_400(mcp: Endpoint, arguments: Any) -> None:
    assert mcp.modern("tools/call", {"name": "list_users", "arguments": arguments}).outcome == (400, -32602)


@pytest.mark.parametrize("uri", ["nope", "registry://nope", "resource://service_description2", "registry://services/"])
def test_5_an_unknown_resource_gets_400_and_names_it(mcp: Endpoint, uri: str) -> None:
    reply = mcp.modern("resources/read", {"uri": uri})
    assert reply.outcome == (400, -32602)
    assert reply.error["data"]["uri"] == uri


def test_5_an_unknown_prompt_gets_400(mcp: Endpoint) -> None:
    assert mcp.modern("prompts/get", {"name": "nope"}).outcome == (400, -32602)


LISTS = ["tools/list", "resources/list", "resources/templates/list", "prompts/list"]


@pytest.mark.parametrize("cursor", ["", "x", "MQ==", "a" * 5000, 0, 5, True, [], {}], ids=lambda c: repr(c)[:20])
@pytest.mark.parametrize("method", LISTS)
def test_5_a_bad_cursor_gets_400(mcp: Endpoint, method: str, cursor: Any) -> None:
    assert mcp.modern(method, {"cursor": cursor}).outcome == (400, -32602)


@pytest.mark.parametrize("key", ["capabilities", "protocolVersion", "task", "extra", "arguments"])
def test_5_other_parameters_do_not_matter(mcp: Endpoint, key: str) -> None:
    assert mcp.modern("tools/list", {key: {"any": "thing"}}).status == 200


# --- the order of all this

FAULTS: list[tuple[str, dict[str, Any], Fields, tuple[int, int]]] = [
    ("1 capabilities", {"_meta": {CAPABILITIES_KEY: ABSENT}}, {}, (400, -32602)),
    ("2 version", {}, {"MCP-Protocol-Version": "2026-07-29"}, (400, -32020)),
    ("2 method", {}, {"Mcp-Method": "tools/wrong"}, (400, -32020)),
    ("2 name", {}, {"Mcp-Name": "wrong"}, (400, -32020)),
    ("3 version", {"_meta": {VERSION_KEY: "v999.0.0"}}, {"MCP-Protocol-Version": "v999.0.0"}, (400, -32022)),
    ("4 method", {"method": "unknown/method"}, {"Mcp-Method": "unknown/method"}, (404, -32601)),
    ("5 tool", {"name": "nope"}, {"Mcp-Name": "nope"}, (400, -32602)),
]


def spoiled(*faults: tuple[str, dict[str, Any], Fields, tuple[int, int]]) -> tuple[dict[str, Any], Fields]:
    """A call with faults; the last one has the last word where two spoil the same."""
    message, fields = tool_call("list_users")
    for _, changes, more, _ in faults:
        own = message["params"]["_meta"] | changes.get("_meta", {})
        message["params"]["_meta"] = {key: value for key, value in own.items() if value is not ABSENT}
        message["method"] = changes.get("method", message["method"])
        message["params"]["name"] = changes.get("name", message["params"]["name"])
        fields = fields | more
    return message, fields


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[0])
def test_order_each_fault_alone(mcp: Endpoint, fault: Any) -> None:
    message, fields = spoiled(fault)
    assert mcp.send(message, **fields).outcome == fault[3]


@pytest.mark.parametrize("first, second", combinations(FAULTS, 2), ids=lambda fault: fault[0])
def test_order_of_two_faults_the_earlier_is_reported(mcp: Endpoint, first: Any, second: Any) -> None:
    if (first[0], second[0]) == ("2 name", "4 method"):
        second = ("4 method", {"method": "unknown/method"}, {}, second[3])
    message, fields = spoiled(second, first)
    assert mcp.send(message, **fields).outcome == first[3]


# --- every error, every result


@pytest.mark.parametrize("id", [0, "", "probe", 2**53 + 1], ids=repr)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[0])
def test_every_error_echoes_the_id(mcp: Endpoint, fault: Any, id: Any) -> None:
    message, fields = spoiled(fault)
    reply = mcp.send(message | {"id": id}, **fields)
    assert (reply.message["id"], type(reply.message["id"])) == (id, type(id))


def test_discover(mcp: Endpoint) -> None:
    result = mcp.modern("server/discover").result
    assert result["supportedVersions"][0] == MODERN
    assert set(result["supportedVersions"]) == {MODERN, *LEGACY[1:]}
    assert set(result["capabilities"]) == {"tools", "resources", "prompts"}
    assert result["instructions"]
    assert not {"name", "version", "serverInfo"} & set(result), "identity lives in _meta"
    assert (result["ttlMs"], result["cacheScope"]) == (300_000, "private")


@pytest.mark.parametrize("name", ["services/" + quote("Grüße/🍕", safe=""), "services/a%20b"])
def test_a_percent_encoded_uri_is_mirrored_as_it_is(mcp: Endpoint, name: str) -> None:
    assert mcp.modern("resources/read", {"uri": "registry://" + name}).outcome == (400, -32602)
