"""Section 2: what is checked before a message is dispatched."""

import json
import uuid
from typing import Any

import pytest

from endpoint import ABSENT, Endpoint, Fields, call, meta, modern_call, modern_fields, raw_exchange
from specification import LEGACY, META, MODERN

pytest_plugins = ["deployments"]

MEBIBYTE = 1 << 20
PING = call("ping")


# --- 1: the path


@pytest.mark.parametrize("path", ["/mcp", "/mcp/", "/mcp?x=1", "/mcp/?x=1"])
def test_1_the_path_is_served_with_and_without_a_slash(mcp: Endpoint, path: str) -> None:
    assert mcp.send(PING, path=path).result == {}


@pytest.mark.parametrize("path", ["/mcp//", "/MCP", "/mcp/x", "/mcpx", "/mcp%2F", "/sse", "/messages/"])
@pytest.mark.parametrize("verb", ["POST", "GET"])
def test_1_other_paths_are_unknown_and_never_redirected(mcp: Endpoint, verb: str, path: str) -> None:
    reply = mcp.send(PING if verb == "POST" else None, verb=verb, path=path)
    assert (reply.status, reply.headers["Location"]) == (404, None)


# --- 2: Host and Origin


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "LOCALHOST", "127.0.0.1:1", "localhost:65535"])
def test_2_a_host_of_this_machine_is_served(mcp: Endpoint, host: str) -> None:
    assert mcp.send(PING, Host=host).result == {}


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "127.0.0.1.evil.example.com",
        "evil.example.com:80",
        "localhost.",
        "[::2]",
        "127.0.0.1:x",
        "",
    ],
)
def test_2_another_host_gets_403(mcp: Endpoint, host: str) -> None:
    assert mcp.send(PING, Host=host).status == 403


@pytest.mark.parametrize("host", [None, "local host"])
def test_2_a_missing_or_malformed_host_gets_400(mcp: Endpoint, host: str | None) -> None:
    assert exchanged(mcp, "/mcp", *([f"Host: {host}"] if host else [])).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "target, host, status",
    [
        ("http://evil.example/mcp", "OWN", 403),
        ("http://OWN@evil.example/mcp", "OWN", 403),
        ("http://evil.example:80/mcp?x", "OWN", 403),
        ("http://OWN/mcp", "OWN", 200),
        ("http://localhost/mcp", "evil.example", 200),
        ("http://OWN/mcp", None, 400),
    ],
)
def test_2_a_host_in_the_target_replaces_the_header(mcp: Endpoint, target: str, host: str | None, status: int) -> None:
    """RFC 9112 3.2.2."""
    fields = [f"Host: {host.replace('OWN', mcp.authority)}"] if host else []
    answer = exchanged(mcp, target.replace("OWN", mcp.authority), *fields)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer


def exchanged(mcp: Endpoint, target: str, *fields: str) -> bytes:
    """What comes back for a request with such a target and such fields."""
    body = json.dumps(PING)
    lines = [f"POST {target} HTTP/1.1", *fields, "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return raw_exchange(mcp, ("\r\n".join(lines) + "\r\n\r\n" + body).encode())


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_2_the_own_origin_is_served(mcp: Endpoint, scheme: str) -> None:
    assert mcp.send(PING, Origin=f"{scheme}://{mcp.authority}").result == {}


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example.com",
        "https://evil.example.com:443",
        "null",
        "",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "file://",
        "127.0.0.1",
    ],
)
@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_2_another_origin_gets_403_without_an_id(mcp: Endpoint, era: str, origin: str) -> None:
    message = modern_call("tools/list") if era == "modern" else PING
    fields = modern_fields(message) if era == "modern" else {}
    assert mcp.send(message, Origin=origin, **fields).status == 403


def test_2_an_evil_origin_beside_the_own_one_gets_403(mcp: Endpoint) -> None:
    assert mcp.send(PING, Origin=[f"http://{mcp.authority}", "http://evil.example.com"]).status == 403


# --- 3: the HTTP method


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
@pytest.mark.parametrize("verb", ["GET", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD", "TRACE"])
def test_3_only_post_is_served(mcp: Endpoint, verb: str, path: str) -> None:
    reply = mcp.send(None, verb=verb, path=path)
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")


def test_3_the_stream_of_a_legacy_client_gets_405(mcp: Endpoint) -> None:
    fields = {"Accept": "text/event-stream", "MCP-Protocol-Version": "2025-11-25", "Content-Type": None}
    reply = mcp.send(None, verb="GET", **fields)
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")


# --- 5: size and content type


def padded(size: int) -> bytes:
    return json.dumps(PING).encode().ljust(size)


def test_5_a_body_of_one_mebibyte_is_served(mcp: Endpoint) -> None:
    assert mcp.send(padded(MEBIBYTE)).status == 200


def test_5_a_larger_body_gets_413(mcp: Endpoint) -> None:
    assert mcp.send(padded(MEBIBYTE + 1)).status == 413


def test_5_a_larger_body_in_chunks_gets_413(mcp: Endpoint) -> None:
    body = padded(MEBIBYTE + 1)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [body[:MEBIBYTE], body[MEBIBYTE:]])
    reply = mcp.send(chunks + b"0\r\n\r\n", **{"Transfer-Encoding": "chunked", "Content-Length": None})
    assert reply.status == 413


def test_5_a_body_in_chunks_is_served(mcp: Endpoint) -> None:
    body = json.dumps(PING).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    fields = {"Transfer-Encoding": "chunked", "Content-Length": None}
    assert mcp.send(chunks + b"0\r\n\r\n", means=PING, **fields).result == {}


BROKEN_BODIES = {
    "cut": b"Content-Length: 50\r\n\r\n" + json.dumps(PING).encode(),
    "missing": b"Content-Length: 50\r\n\r\n",
    "a chunk without a size": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    "a cut chunk": b"Transfer-Encoding: chunked\r\n\r\n50\r\n{}",
    "no last chunk": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
}


@pytest.mark.parametrize("rest", BROKEN_BODIES.values(), ids=BROKEN_BODIES.keys())
def test_5_a_body_that_cannot_be_read_to_its_end_is_the_fault_of_the_client(mcp: Endpoint, rest: bytes) -> None:
    head = f"POST /mcp HTTP/1.1\r\nHost: {mcp.authority}\r\nContent-Type: application/json\r\n"
    answer = raw_exchange(mcp, head.encode() + rest)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 "), answer
    assert " error " not in mcp.registry.output(), "nor is it anything for the operator to read"


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
        " application/json ",
        "application/json ; a=b",
    ],
)
def test_5_json_with_any_parameters_is_served(mcp: Endpoint, kind: str) -> None:
    assert mcp.send(PING, **{"Content-Type": kind}).result == {}


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/jsonx",
        "application/json-rpc",
        "application/problem+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application",
        "text/plain, application/json",
    ],
)
def test_5_any_other_content_type_gets_415(mcp: Endpoint, kind: str | None) -> None:
    assert mcp.send(PING, **{"Content-Type": kind}).status == 415


# --- 6: Accept

JSON_ACCEPTED: list[str | list[str] | None] = [
    None,
    "",
    "*/*",
    "application/*",
    "application/json",
    "application/json, text/event-stream",
    "text/event-stream, application/json",
    "text/event-stream,application/json;q=0.1",
    "APPLICATION/JSON",
    "text/html, */*;q=0.1",
    "application/json; charset=utf-8",
    "  application/json  ",
    ["text/event-stream", "application/json"],
]


@pytest.mark.parametrize("accept", JSON_ACCEPTED, ids=str)
@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_6_an_accept_that_allows_json_gets_json(mcp: Endpoint, era: str, accept: Any) -> None:
    message = modern_call("tools/list") if era == "modern" else PING
    reply = mcp.send(message, Accept=accept, **(modern_fields(message) if era == "modern" else {}))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("accept", ["text/event-stream", "Text/Event-Stream", "text/html, text/event-stream;q=0.5"])
@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_6_an_accept_that_allows_only_streams_gets_the_same_answer_as_one_event(
    mcp: Endpoint, era: str, accept: str
) -> None:
    message = modern_call("tools/list") if era == "modern" else call("tools/list")
    fields = modern_fields(message) if era == "modern" else {}
    reply = mcp.send(message, Accept=accept, **fields)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/event-stream")
    assert reply.message == mcp.send(message, **fields).message


def test_6_a_legacy_error_is_one_event_too(mcp: Endpoint) -> None:
    reply = mcp.send(call("nope"), Accept="text/event-stream")
    assert (reply.headers["Content-Type"], reply.outcome) == ("text/event-stream", (200, -32601))


@pytest.mark.parametrize("accept", ["text/html", "image/*, text/html", "application/xml", "application/jsonx", "json"])
def test_6_an_accept_that_allows_neither_gets_406(mcp: Endpoint, accept: str) -> None:
    assert mcp.send(PING, Accept=accept).status == 406


# --- 7: JSON

NO_JSON = {
    "empty": b"",
    "blanks": b" \n ",
    "cut": b'{"jsonrpc":"2.0","id":1,"method":"ping"',
    "trailing": b'{"jsonrpc":"2.0","id":1,"method":"ping"}x',
    "two values": b'{"jsonrpc":"2.0","id":1,"method":"ping"}{}',
    "single quotes": b"{'jsonrpc':'2.0'}",
    "trailing comma": b'{"jsonrpc":"2.0","id":1,"method":"ping",}',
    "invalid UTF-8": b'{"jsonrpc":"2.0","id":"\xff","method":"ping"}',
    "encoded surrogate": b'{"jsonrpc":"2.0","id":"\xed\xa0\x80","method":"ping"}',
    "lone surrogate": b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}',
    "overlong": b'{"jsonrpc":"2.0","id":"\xc0\x80","method":"ping"}',
    "duplicate key": b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
    "NaN": b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}',
    "leading zero": b'{"jsonrpc":"2.0","id":01,"method":"ping"}',
    "hexadecimal": b'{"jsonrpc":"2.0","id":0x1,"method":"ping"}',
    "control character": b'{"jsonrpc":"2.0","id":"\x01","method":"ping"}',
    "comment": b'{"jsonrpc":"2.0",/**/"id":1,"method":"ping"}',
    "byte order mark": b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"ping"}',
    "UTF-16": '{"jsonrpc":"2.0","id":1,"method":"ping"}'.encode("utf-16"),
    "too deep": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":' + b"[" * 100 + b"]" * 100 + b"}}",
    "very deep": b"[" * 500_000,
    "form": b"jsonrpc=2.0&id=1&method=ping",
    "nul": b"\x00",
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON.keys())
@pytest.mark.parametrize("version", [None, "2025-11-25", MODERN])
def test_7_what_is_no_json_gets_400_and_a_parse_error_without_an_id(
    mcp: Endpoint, version: str | None, body: bytes
) -> None:
    reply = mcp.send(body, **{"MCP-Protocol-Version": version})
    assert reply.outcome == (400, -32700)
    assert "id" not in reply.message


def test_7_any_white_space_and_escapes_are_json(mcp: Endpoint) -> None:
    body = b' \t\r\n{"jsonrpc" : "2\\u002e0" ,\n"\\u0069d":"\\ud83c\\udf55","method":"p\\u0069ng"}\n'
    assert mcp.send(body).message["id"] == "\N{SLICE OF PIZZA}"


# --- 8: the message

NO_MESSAGE: dict[str, tuple[Any, int]] = {
    "a text": ("ping", -32600),
    "a number": (7, -32600),
    "null": (b"null", -32600),
    "true": (True, -32600),
    "an empty object": ({}, -32600),
    "an empty array": ([], -32600),
    "no jsonrpc": ({"id": 1, "method": "ping"}, -32600),
    "jsonrpc 1.0": ({"jsonrpc": "1.0", "id": 1, "method": "ping"}, -32600),
    "jsonrpc 2": ({"jsonrpc": 2, "id": 1, "method": "ping"}, -32600),
    "jsonrpc 2.0 as a number": ({"jsonrpc": 2.0, "id": 1, "method": "ping"}, -32600),
    "jsonrpc null": ({"jsonrpc": None, "id": 1, "method": "ping"}, -32600),
    "JSONRPC": ({"JSONRPC": "2.0", "id": 1, "method": "ping"}, -32600),
    "no method": ({"jsonrpc": "2.0", "id": 1}, -32600),
    "no method but params": ({"jsonrpc": "2.0", "id": 1, "params": {}}, -32600),
    "method null": (call(None), -32600),
    "method a number": (call(5), -32600),
    "method an array": (call(["ping"]), -32600),
    "method an object": (call({"name": "ping"}), -32600),
    "method and result": ({"jsonrpc": "2.0", "id": 1, "method": 5, "result": {}}, -32600),
    "params null": (call("ping", None), -32602),
    "params an array": (call("tools/list", []), -32602),
    "params a filled array": (call("tools/call", ["list_users"]), -32602),
    "params a text": (call("ping", "x"), -32602),
    "params a number": (call("ping", 5), -32602),
    "params false": (call("ping", False), -32602),
    "a notification with params an array": (call("notifications/initialized", [], ABSENT), -32602),
}


@pytest.mark.parametrize("body, code", NO_MESSAGE.values(), ids=NO_MESSAGE.keys())
@pytest.mark.parametrize("version", [None, "2025-11-25", MODERN])
def test_8_what_is_no_message_gets_400(mcp: Endpoint, version: str | None, body: Any, code: int) -> None:
    assert mcp.send(body, **{"MCP-Protocol-Version": version}).outcome == (400, code)


def test_8_unknown_members_of_a_message_do_not_matter(mcp: Endpoint) -> None:
    assert mcp.send(call("ping") | {"extra": {"a": [1]}, "auth": None}).result == {}


# --- 9: ids

IDS: list[Any] = [
    0,
    1,
    -1,
    2**31,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    "",
    "0",
    "1",
    "a" * 1000,
    "🍕 Ü\u0000\u001f\"\\/",
    "\u2028",
    "null",
    "server-discover-probe-1",
]


@pytest.mark.parametrize("id", IDS, ids=lambda value: repr(value)[:30].encode("ascii", "backslashreplace").decode())
@pytest.mark.parametrize("outcome", ["legacy result", "legacy error", "modern result", "modern error"])
def test_9_an_id_is_echoed_with_its_json_type(mcp: Endpoint, outcome: str, id: Any) -> None:
    era, kind = outcome.split()
    if era == "legacy":
        reply = mcp.legacy("ping" if kind == "result" else "nope", id=id)
    else:
        reply = mcp.modern("tools/list" if kind == "result" else "nope", id=id)
    assert kind in reply.message
    assert (reply.message["id"], type(reply.message["id"])) == (id, type(id))


@pytest.mark.parametrize("id", [None, 1.5, -0.5, True, False, [], [1], {}, {"id": 1}], ids=repr)
@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_9_what_is_no_id_gets_400(mcp: Endpoint, era: str, id: Any) -> None:
    reply = mcp.legacy("ping", id=id) if era == "legacy" else mcp.modern("tools/list", id=id)
    assert reply.outcome == (400, -32600)


@pytest.mark.parametrize("id", ["1.0", "1e2", "-0.0", "1E400", "1e-1"])
def test_9_a_number_with_a_fraction_or_an_exponent_is_no_id(mcp: Endpoint, id: str) -> None:
    reply = mcp.send(b'{"jsonrpc":"2.0","id":%b,"method":"ping"}' % id.encode())
    assert reply.outcome in [(400, -32600), (400, -32700)]


@pytest.mark.parametrize("id", [2**63, -(2**63) - 1, 2**64, 10**30], ids=str)
def test_9_an_integer_beyond_64_bits_is_refused_or_echoed_but_never_changed(mcp: Endpoint, id: int) -> None:
    reply = mcp.send(b'{"jsonrpc":"2.0","id":%d,"method":"ping"}' % id)
    assert reply.outcome == (400, -32600)
    assert "id" not in reply.message


# --- 10: notifications and stray responses

NOTIFICATIONS = [
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
    "notifications/unknown",
    "anything",
    "",
    "ping",
    "tools/list",
    "initialize",
]


@pytest.mark.parametrize("fields", [None, *LEGACY, MODERN, "v999.0.0"], ids=str)
@pytest.mark.parametrize("method", NOTIFICATIONS)
def test_10_a_notification_gets_202_whatever_its_name_and_headers(
    mcp: Endpoint, method: str, fields: str | None
) -> None:
    reply = mcp.send(call(method, id=ABSENT), **{"MCP-Protocol-Version": fields})
    assert (reply.status, reply.text, reply.headers["Content-Length"] or "0") == (202, "", "0")


def test_10_a_modern_notification_gets_202(mcp: Endpoint) -> None:
    message = modern_call("notifications/cancelled", {"requestId": 1}, id=ABSENT)
    assert mcp.send(message, **modern_fields(message)).status == 202
    assert mcp.send(message, **(modern_fields(message) | {"Mcp-Method": "wrong"})).status == 202


def test_10_a_tool_call_without_an_id_does_nothing(mcp: Endpoint) -> None:
    role = f"r{uuid.uuid4().hex}"
    message = call("tools/call", {"name": "create_role", "arguments": {"role_name": role}}, ABSENT)
    assert mcp.send(message).status == 202
    assert role not in [entry["name"] for entry in mcp.done("list_roles")]


RESPONSES: list[dict[str, Any]] = [
    {"jsonrpc": "2.0", "id": 1, "result": {}},
    {"jsonrpc": "2.0", "id": "x", "result": {"roots": []}},
    {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no"}},
    {"jsonrpc": "2.0", "id": 1, "error": {}},
]


@pytest.mark.parametrize("response", RESPONSES, ids=["result", "roots", "error", "broken"])
@pytest.mark.parametrize("version", [None, *LEGACY])
def test_10_a_stray_legacy_response_gets_202(mcp: Endpoint, version: str | None, response: Any) -> None:
    assert mcp.send(response, **{"MCP-Protocol-Version": version}).status == 202


@pytest.mark.parametrize("response", RESPONSES, ids=["result", "roots", "error", "broken"])
def test_10_a_stray_modern_response_gets_400(mcp: Endpoint, response: Any) -> None:
    # The id is that of the response: it names no request of the client's, so it is not to be echoed.
    reply = mcp.send(json.dumps(response).encode(), **{"MCP-Protocol-Version": MODERN})
    assert reply.outcome == (400, -32600)


# --- 11: answers


@pytest.mark.parametrize(
    "method, params",
    [
        ("server/discover", {}),
        ("tools/list", {"_meta": meta(**{META + "logLevel": "debug"})}),
        (
            "tools/call",
            {
                "name": "list_users",
                "arguments": {},
                "_meta": meta(**{META + "logLevel": "debug", "progressToken": 3}),
            },
        ),
        ("resources/list", {"_meta": meta(**{META + "logLevel": "debug"})}),
        ("resources/read", {"uri": "resource://service_description"}),
    ],
)
def test_11_requests_as_present_clients_send_them(mcp: Endpoint, method: str, params: dict[str, Any]) -> None:
    """Names of headers in lower case, and with what fastmcp adds to `_meta`."""
    message = modern_call(method, params)
    fields = {name.lower(): value for name, value in modern_fields(message).items()}
    reply = mcp.send(message, **fields, **{"user-agent": "python-httpx2/2.16.2", "accept-encoding": "gzip, deflate"})
    assert reply.outcome == (200, None)
    assert reply.headers["Content-Encoding"] is None


def test_11_an_unknown_session_and_a_last_event_do_not_matter(mcp: Endpoint) -> None:
    fields: Fields = {"Mcp-Session-Id": str(uuid.uuid4()), "Last-Event-ID": "7"}
    assert mcp.send(PING, **fields).result == {}
    message = modern_call("tools/list")
    assert mcp.send(message, **(modern_fields(message) | fields)).status == 200


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_11_answers_are_json_of_one_object_and_not_stored(mcp: Endpoint, era: str) -> None:
    reply = mcp.legacy("tools/list") if era == "legacy" else mcp.modern("tools/list")
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"
    assert int(reply.headers["Content-Length"]) == len(reply.text.encode())


def test_11_a_client_that_leaves_early_leaves_nothing_half_done(mcp: Endpoint) -> None:
    """Whoever hangs up in the middle of a body has asked for nothing."""
    role = f"r{uuid.uuid4().hex}"
    body = json.dumps(call("tools/call", {"name": "create_role", "arguments": {"role_name": role}})).encode()
    head = f"POST /mcp HTTP/1.1\r\nHost: {mcp.authority}\r\nContent-Type: application/json\r\n"
    raw_exchange(mcp, f"{head}Content-Length: {len(body) + 1}\r\n\r\n".encode() + body)
    assert role not in [entry["name"] for entry in mcp.done("list_roles")]
