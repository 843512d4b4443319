"""What a service may say in well-formed HTTP: pages, JSON, types, versions, sessions, tools."""

import json

from answers import (
    CANARY, GOOD_TOOL, MEBIBYTE, STREAM, agreement, answered, bomb, deep_tools, discovery, envelope, error, event,
    flood, modern, nested, packed, page, pages, properties, result, service, sse, tool, tools,
)  # fmt: skip
from cases import (
    BROKEN, CURSOR, EARLY, FLOODED, GZIP, HTML, LARGE, LEGACY_INFO, MANY_PAGES, MIRROR_RUBBISH, NOT_MCP, OPEN_ARRAY,
    OTHER_ANSWER, PING, REQUESTS, SESSION, SLOW, TOOLS, VERSION, again, kept, mirrored, refused, two_tools,
)  # fmt: skip

PAGING = [
    refused("endless pages with new cursors", MANY_PAGES, service(tools=pages(lambda n: f"c{n}", lambda n: []))),
    refused("endless pages of 10^5 nameless tools", rf"{LARGE}|{MANY_PAGES}|{SLOW}|tools",
            service(tools=pages(lambda n: f"c{n}", lambda n: [{}] * 100_000))),
    refused("a cursor loop of one", CURSOR, service(tools=tools(nextCursor="again"))),
    refused("a cursor loop of three", CURSOR, service(tools=pages(lambda n: "abc"[n % 3], lambda n: []))),
    refused('a loop of the cursor ""', CURSOR, modern(tools=tools(GOOD_TOOL, nextCursor=""))),
    refused("a cursor of 1 MiB", CURSOR, service(tools=tools(nextCursor="c" * MEBIBYTE))),
    *[refused(f"the cursor {json.dumps(cursor)}", CURSOR, service(tools=tools(GOOD_TOOL, nextCursor=cursor)))
      for cursor in [0, 1, 1.5, True, False, [], ["c"], {}, {"a": "b"}]],
    kept("the cursor null", service(tools=tools(GOOD_TOOL, nextCursor=None)), "good"),
]  # fmt: skip

PARSING = [
    refused("HTML with 200", NOT_MCP, page(HTML, 200, "text/html")),
    refused("HTML as JSON", NOT_MCP, page(HTML)),
    refused("HTML instead of the tools", NOT_MCP, service(tools=page(HTML, 200, "text/html"))),
    refused("an empty body", NOT_MCP, page()),
    refused("a text of 3 bytes", NOT_MCP, page(b"nil")),
    refused("half an answer", NOT_MCP, service(tools=page(OPEN_ARRAY))),
    refused("JSON of 10^5 levels", NOT_MCP, service(tools=page(b"[" * 100_000))),
    refused("4 MiB of brackets", rf"{NOT_MCP}|{LARGE}", service(tools=page(b"[" * (4 * MEBIBYTE)))),
    refused("10^5 levels beside the result", NOT_MCP, service(
        tools=page(lambda request: envelope(TOOLS)(request)[:-1] + b',"x":' + nested(100_000) + b"}"))),
    refused("a schema of 10^5 levels", NOT_MCP, service(tools=deep_tools(100_000))),
    kept("a schema of 50 levels", service(tools=deep_tools(50)), "good"),
    refused("10^5 levels on a stream", NOT_MCP, service(tools=sse(event("[" * 100_000)))),
    refused("invalid UTF-8", NOT_MCP, service(tools=result(b'{"tools":[{"name":"\xff\xfe","inputSchema":{}}]}'))),
    refused("overlong UTF-8", NOT_MCP, service(tools=result(b'{"tools":[{"name":"\xc0\xaf","inputSchema":{}}]}'))),
    refused("invalid UTF-8 on a stream", NOT_MCP,
        service(tools=sse(b'data: {"jsonrpc":"2.0","id":2,"result":"\xff"}\n\n'))),
    refused("a lone surrogate", NOT_MCP, service(tools=result(b'{"tools":[{"name":"\\ud800","inputSchema":{}}]}'))),
    refused("UTF-16 with a byte order mark", NOT_MCP,
        service(tools=page(lambda r: envelope(TOOLS)(r).decode().encode("utf-16")))),
    refused("NUL bytes behind the answer", NOT_MCP, service(tools=page(lambda r: envelope(TOOLS)(r) + b"\0" * 1000))),
    refused("two answers in one body", NOT_MCP, service(tools=page(lambda r: envelope(TOOLS)(r) * 2))),
    refused("a key twice", NOT_MCP,
        service(tools=page(lambda r: envelope(TOOLS)(r)[:-1] + b',"result":{"tools":[]}}'))),
    refused("a key twice in a tool", NOT_MCP,
        service(tools=result(b'{"tools":[{"name":"a","name":"b","inputSchema":{}}]}'))),
    refused("the number 1e999999", NOT_MCP, service(tools=result(b'{"tools":[],"ttlMs":1e999999}'))),
    refused("a number of 10^6 digits", NOT_MCP, service(tools=result(b'{"tools":[],"x":' + b"9" * 1_000_000 + b"}"))),
    refused("NaN", NOT_MCP, service(tools=result(b'{"tools":[],"x":NaN}'))),
    refused("a batch", NOT_MCP, service(tools=page(lambda r: b"[" + envelope(TOOLS)(r) + b"]"))),
    refused("a batch on a stream", NOT_MCP, service(tools=sse(lambda r: b"data: [" + envelope(TOOLS)(r) + b"]\n\n"))),
    refused("result and error both", rf"{NOT_MCP}|error -?\d+", service(
        tools=page(lambda r: envelope(TOOLS)(r)[:-1] + b',"error":{"code":-32000,"message":"x"}}'))),
    refused("JSON-RPC 1.0", NOT_MCP, service(tools=page(lambda r: envelope(TOOLS)(r).replace(b'"2.0"', b'"1.0"')))),
    refused("an error without a code", NOT_MCP,
        service(tools=page(b'{"jsonrpc":"2.0","id":2,"error":{"message":"x"}}'))),
    refused("an error with a huge code", r"error -?\d+|does not answer", service(tools=error(-(2**62)))),
    *[refused(f"the id {json.dumps(id)}", NOT_MCP, service(tools=result(TOOLS, id)))
      for id in [987654, -1, 0, 2**63, 2**70, 2.5, "2", "3", "", None, True, [2], {}]],
    refused("no id", NOT_MCP, service(tools=page(b'{"jsonrpc":"2.0","result":{"tools":[]}}'))),
    refused("another id on a stream", EARLY, service(tools=sse(OTHER_ANSWER))),
    refused("another id to initialize", NOT_MCP, service(initialize=result(LEGACY_INFO, 77))),
    *[refused(f"the tools {json.dumps(value)}", NOT_MCP, service(tools=result({"tools": value})))
      for value in [{}, None, 5, "x", True]],
    refused("no tools member", NOT_MCP, service(tools=result({}))),
    *[refused(f"the result {json.dumps(value)}", NOT_MCP,
        service(tools=result(value))) for value in [[], None, 5, "x"]],
]  # fmt: skip

CONTENT_TYPES = [
    refused("a stream's type with a JSON body", EARLY, service(tools=page(envelope(TOOLS), 200, STREAM))),
    refused("a JSON type with a stream's body", NOT_MCP, service(tools=page(answered(TOOLS)))),
    kept("JSON as plain text", service(tools=page(envelope(TOOLS), 200, "text/plain")), "good"),
    kept("JSON without a type", service(tools=page(envelope(TOOLS), 200, None)), "good"),
    refused("an image", NOT_MCP, page(b"\x89PNG\r\n\x1a\n" + CANARY.encode(), 200, "image/png")),
    refused("a type of 10 KiB", rf"{NOT_MCP}|{BROKEN}", page(HTML, 200, "a/" + "b" * 10_000)),
    refused("a multipart answer", NOT_MCP, page(b"--x\r\n\r\n{}\r\n--x--", 200, "multipart/mixed; boundary=x")),
]

HANDSHAKE = [
    *[again(f"a session id of {name}", rf"{SESSION}|{BROKEN}", service(initialize=agreement(f"Mcp-Session-Id: {id}")))
      for name, id in [("control characters", "a\x01b"), ("a NUL", "a\0b"), ("a tab", "a\tb"), ("a blank", "a b"),
                       ("Latin-1", "\xe9\xff"), ("nothing", ""), ("10 KiB", "s" * 10_240)]],
    refused("a session that is lost for ever", r"HTTP status 404|session",
            service(initialize=agreement("Mcp-Session-Id: lost"), tools=page(HTML, 404, "text/html"))),
    *[refused(f"the version {json.dumps(version)}",
        rf"{VERSION}|{NOT_MCP}", service(initialize=agreement(protocolVersion=version)))
      for version in ["1999-01-01", "2026-07-28", "2099-01-01", "", "latest", "v" * 100_000, None, 20251125, []]],
    refused("versions of the future only", VERSION,
        error(-32022, 400, {"supported": ["2099-01-01"], "requested": "x"})),
    refused("the refused version as supported for ever",
        rf"{VERSION}|error -32022", error(-32022, 400, {"supported": ["2026-07-28"]})),
    refused("10^5 supported versions", rf"{VERSION}|error -32022", error(-32022, 400, {"supported": ["x"] * 100_000})),
    refused("supported versions of a wrong type",
        rf"{VERSION}|error -32022", error(-32022, 400, {"supported": {"a": 1}})),
    refused("headers that don't suit", "error -32020", error(-32020, 400)),
    refused("capabilities that we lack", "error -32021", error(-32021, 400, {"required": [CANARY]})),
    refused("errors to everything", r"error -32000", error(-32000)),
    refused("an answer that wants input", r"complete", modern(tools=tools(GOOD_TOOL, resultType="input_required"))),
    refused("an answer of an unknown type", r"complete", modern(tools=tools(GOOD_TOOL, resultType=CANARY))),
    refused("an answer whose type is no text", r"complete", modern(tools=tools(GOOD_TOOL, resultType=[1]))),
    refused("a probe that wants input", r"complete", modern(discover=discovery(resultType="input_required"))),
    kept("no capabilities", service(initialize=result({"protocolVersion": "2025-11-25", "serverInfo": {"name": "x"}}))),
    kept("capabilities of a wrong type", service(initialize=agreement(capabilities=[1, 2]))),
    refused("requests in a flood", REQUESTS,
        service(tools=flood({"id": 1, "method": "sampling/createMessage", "params": {}}, 20_000))),
    refused("pings in a flood", REQUESTS, service(tools=flood({"id": 1} | PING, 20_000))),
    refused("pings with ids of 10 KiB", REQUESTS, service(tools=flood({"id": "i" * 10_240} | PING, 30))),
    kept("a few pings", service(tools=flood({"id": 1} | PING, 3)), "good"),
    kept("900 notifications", service(tools=flood({"method": "notifications/x"}, 900)), "good"),
    refused("20,000 notifications", FLOODED, service(tools=flood({"method": "notifications/x"}, 20_000))),
    refused("a stream that ends at once", EARLY, service(tools=sse())),
    refused("a stream that ends at once for initialize", EARLY, service(initialize=sse())),
    refused("a stream of rubbish", NOT_MCP, service(tools=sse(event(CANARY)))),
    refused("a stream of bytes above 127", EARLY, service(tools=sse(b"\xff" * 10_000))),
]  # fmt: skip

TOOL_LISTS = [
    kept("tools that are no objects", two_tools(1, None, "x", [], True, 1.5, [[]], {}), "good"),
    kept("names that are no text", two_tools(*[tool(name) for name in [None, 1, [], {}, True, ""]]), "good"),
    kept("a name of 10^6 characters", two_tools(tool("n" * 1_000_000)), "good"),
    kept("a name of 129 characters", two_tools(tool("n" * 129)), "good"),
    kept("control characters in names", two_tools(*[tool(f"a{c}b") for c in "\0\n\r\t\x1b\x7f\x85\x9b"]), "good"),
    kept("direction marks in names", two_tools(*[tool(f"a{c}b") for c in "\u202e\u2066\u200f\u061c"]), "good"),
    kept("invisible characters in names",
        two_tools(*[tool(f"a{c}b") for c in "\u200b\u2060\ufeff\U000e0041\u2028"]), "good"),
    kept("names that begin or end with white space",
        two_tools(tool(" a"), tool("a "), tool("\u00a0a"), tool(" ")), "good"),
    kept("1000 tools of one name", service(tools=tools(*[GOOD_TOOL] * 1000)), "good"),
    kept("schemas that are no objects",
        two_tools(*[tool(f"t{n}", s) for n, s in enumerate([[], 1, "x", True, 1.5])]), "good"),
    kept("a tool without a schema", two_tools({"name": "bare"}), "good"),
    kept("a schema of 1 MiB", two_tools(tool("large", {"x": "y" * MEBIBYTE})), "good"),
    kept("a schema of 33 levels", two_tools(tool("deep", json.loads(nested(33)))), "good"),
    kept("a description of 3 MiB", service(tools=tools(GOOD_TOOL | {"description": "d" * (3 * MEBIBYTE)})), "good"),
    kept("descriptions of wrong types",
        service(tools=tools(GOOD_TOOL | {"description": 1, "title": [], "annotations": "x"})), "good"),
    kept("references to the trap", lambda r: service(tools=tools(tool("good", {
        "$schema": f"http://127.0.0.1:{r.trap}/s", "$id": f"http://127.0.0.1:{r.trap}/i", "type": "object",
        "properties": {"a": {"$ref": f"http://127.0.0.1:{r.trap}/a"},
            "b": {"$dynamicRef": f"http://127.0.0.1:{r.trap}/b"}},
    }, icons=[{"src": f"http://127.0.0.1:{r.trap}/icon.png"}],
        outputSchema={"$ref": f"http://127.0.0.1:{r.trap}/o"})))(r), "good"),
    kept("a description at the trap's address", lambda r: service(
        initialize=agreement(capabilities={"tools": {}, "resources": {}}),
        resources=result({"resources": [{"name": "service_description", "uri": f"http://127.0.0.1:{r.trap}/d"}]}),
        read=result({"contents": [{"uri": f"http://127.0.0.1:{r.trap}/d", "text": "kind"}]}))(r), "good"),
    kept("endless resources", service(
        initialize=agreement(capabilities={"tools": {}, "resources": {}}),
        resources=pages(lambda n: f"c{n}", lambda n: [])), "good"),
    kept("a gzip bomb as description", service(
        initialize=agreement(capabilities={"tools": {}, "resources": {}}),
            resources=packed("gzip", bomb(GZIP))), "good"),
    kept("x-mcp-header rubbish", modern(tools=tools(
        *[tool(f"t{n}", properties({"type": "string", "x-mcp-header": value})) for n,
            value in enumerate(MIRROR_RUBBISH)],
        mirrored({"type": "string", "x-mcp-header": "Twice"}, {"type": "string", "x-mcp-header": "tWICE"}),
        mirrored({"type": "object", "x-mcp-header": "Object"}), mirrored({"x-mcp-header": "Untyped"}),
        mirrored({"type": "array", "items": {"type": "string", "x-mcp-header": "Item"}}),
        mirrored({"anyOf": [{"type": "string", "x-mcp-header": "Branch"}]}),
        tool("root", {"type": "object", "x-mcp-header": "Root"}), GOOD_TOOL)), "good"),
]  # fmt: skip

MESSAGE_CASES = [*PAGING, *PARSING, *CONTENT_TYPES, *HANDSHAKE, *TOOL_LISTS]
