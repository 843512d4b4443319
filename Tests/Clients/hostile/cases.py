"""What a hostile service may do, one line each, and how its registration must end."""

import json
from dataclasses import dataclass
from typing import Any

from answers import (
    CANARY, GOOD_TOOL, JSON, KIBIBYTES_64, MEBIBYTE, STREAM, agreement, answered, bomb, chunk, deep_tools, discovery,
    drip, endless, endpoint, envelope, error, event, flood, head, million_tools, modern, nested, numbered, old_service,
    packed, page, pages, properties, raw, redirect, result, service, sse, tool, tools, twice_packed,
)  # fmt: skip
from servers import HOLD, Behaviour

# What a reason must say, loosely.
SLOW = r"within \d+(\.\d+)? seconds"
LARGE = r"larger than|too large|larger when unpacked|compress"
NOT_MCP = r"does not answer as an MCP service|not JSON-RPC|not valid JSON"
UNREACHED = r"could not be reached|connection"
BROKEN = r"could not be read|broke off|not valid HTTP|does not speak HTTP|could not be reached"
TLS = r"TLS|certificate|secure|could not be reached"
EARLY = r"ended its answer early|could not be read"
REDIRECTS = r"redirect"
VERSION = r"no version of MCP"
CURSOR = r"cursor"
MANY_PAGES = r"more than \d+ pages"
MANY_TOOLS = r"more than \d+ tools"
REQUESTS = r"too many requests of its own"
SESSION = r"session id"
ENDPOINT = r"endpoint|origin|another address"


@dataclass(frozen=True)
class Case:
    """A hostile service, and how `add_service` must end: with a reason, or with the tools that were kept."""

    name: str
    behaviour: Behaviour
    reason: str = ""
    kept: tuple[str, ...] = ()
    slow: bool = False
    scheme: str = "http"
    path: str = "/mcp"
    tls: bool = False

    @property
    def id(self) -> str:
        """The name, as short as the name of a service or a test should be."""
        return self.name if len(self.name) <= 80 else f"{self.name[:60]}… ({len(self.name)})"


def refused(name: str, reason: str, behaviour: Behaviour, **more: Any) -> Case:
    return Case(name, behaviour, reason=reason, **more)


def slow(name: str, behaviour: Behaviour, reason: str = SLOW, **more: Any) -> Case:
    """Ends by its deadline; such cases wait together."""
    return Case(name, behaviour, reason=reason, slow=True, **more)


def kept(name: str, behaviour: Behaviour, *names: str) -> Case:
    """Is registered with these tools alone."""
    return Case(name, behaviour, kept=names)



def status(code: int, reason: str = "", *fields: str) -> Case:
    name = " ".join([f"status {code}", *fields])
    return refused(name, reason or rf"HTTP status {code}\b", page(HTML, code, "text/html", *fields))


def two_tools(*bad: Any, **more: Any) -> Behaviour:
    """Bad tools, then the good one."""
    return service(tools=tools(*bad, GOOD_TOOL, **more))


def mirrored(*schemas: Any) -> dict[str, Any]:
    return tool("mirrored", properties(*schemas))


HTML = f"<html><body>{CANARY}</body></html>".encode()
TOOLS = {"tools": [GOOD_TOOL]}
BLOCK = b" " * KIBIBYTES_64
OTHER_ANSWER = event({"jsonrpc": "2.0", "id": 987654, "result": {"canary": CANARY}})
PING = {"method": "ping"}
GZIP, DEFLATE, RAW_DEFLATE = 31, 15, -15
OPEN_ARRAY = b'{"jsonrpc":"2.0","id":2,"result":{"tools":['
CHUNKED = "Transfer-Encoding: chunked"
LEGACY_INFO = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
MIRROR_RUBBISH: list[Any] = [
    "", " ", "a b", "a:b", "a\r\nb", "é", None, 7, [], {}, True, "x" * 3 + "\u0000", "(x)", '"x"',
]  # fmt: skip

SILENCE = [
    slow("silence after accept", raw(HOLD)),
    slow("silence after the status line", raw(b"HTTP/1.1 200 OK\r\n", HOLD)),
    slow("silence after headers", raw(head(200, JSON, "Content-Length: 100"), HOLD)),
    slow("silence after headers of a stream", raw(head(200, STREAM), HOLD)),
    slow("silence after half an answer", service(tools=raw(head(), OPEN_ARRAY, HOLD))),
    slow("silence to initialize", service(initialize=raw(HOLD))),
    slow("silence to tools/list", service(tools=raw(HOLD))),
    slow("silence on the stream of tools/list", modern(tools=sse(HOLD))),
    slow("one byte a second of a header", drip(b"HTTP/1.1 200 OK\r\nX: ", b"y")),
    slow("one byte a second of JSON", service(tools=drip(head(), b" "))),
    slow("one byte a second of a stream", service(tools=drip(head(200, STREAM), b": \n"))),
    slow("one byte a second of a chunk's size", service(tools=drip(head(200, JSON, CHUNKED), b"0"))),
    slow("a stream that is kept alive", service(tools=endless(head(200, STREAM), b": still here\n\n", 0.2))),
    slow("a page every 0.2 s for ever", service(tools=pages(lambda n: f"c{n}", lambda n: [])), rf"{SLOW}|{MANY_PAGES}"),
    slow("a TLS handshake that stops", raw(HOLD), rf"{SLOW}|{TLS}", scheme="https"),
    slow("interim answers without end", endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n", 0.1), rf"{SLOW}|{BROKEN}"),
    slow("interim answers in a flood", endless(b"", b"HTTP/1.1 103 Hints\r\n\r\n" * 1000), rf"{SLOW}|{BROKEN}"),
    slow("503 with a wait of a day", page(HTML, 503, "text/html", "Retry-After: 86400"), r"HTTP status 503"),
    slow("429 with a wait of 30 s", page(HTML, 429, "text/html", "Retry-After: 30"), rf"HTTP status 429|{SLOW}"),
    slow("pings now and then", service(tools=endless(head(200, STREAM), event({"jsonrpc": "2.0", "id": 1} | PING), 0.6))),
    slow("a description that never comes", service(
        initialize=agreement(capabilities={"tools": {}, "resources": {}}), resources=raw(HOLD)), "", kept=("good",)),
]  # fmt: skip

SIZE = [
    refused("endless comments on a stream", LARGE, service(tools=endless(head(200, STREAM), b": comment\n" * 6000))),
    refused("endless events of other ids", LARGE, service(tools=endless(head(200, STREAM), OTHER_ANSWER * 500))),
    refused("endless notifications", LARGE, service(tools=flood({"method": "notifications/progress", "params": {}}))),
    refused("one endless event", LARGE, service(tools=endless(head(200, STREAM) + b"data: ", BLOCK))),
    refused("one endless event of many lines", LARGE, service(tools=endless(head(200, STREAM), b"data:\n" * 10000))),
    refused("endless empty lines on a stream", LARGE, service(tools=endless(head(200, STREAM), b"\n" * KIBIBYTES_64))),
    refused("endless blanks as JSON", LARGE, service(tools=endless(head(), BLOCK))),
    refused("endless chunks of JSON", LARGE, service(tools=endless(head(200, JSON, CHUNKED) + chunk(OPEN_ARRAY), chunk(b"{},")))),
    refused("endless HTML", LARGE, endless(head(200, "text/html"), HTML * 1000)),
    refused("a huge Content-Length and its bytes", LARGE, endless(head(200, JSON, "Content-Length: 99999999999"), BLOCK)),
    refused("a Content-Length that ends early", BROKEN, service(tools=raw(head(200, JSON, "Content-Length: 99999999"), b"{"))),
    refused("a Content-Length above 2^64", BROKEN, service(tools=raw(head(200, JSON, "Content-Length: 99999999999999999999"), b"{}"))),
    refused("a gzip bomb of JSON", rf"{LARGE}|{BROKEN}", service(tools=packed("gzip", bomb(GZIP)))),
    refused("a gzip bomb on a stream", rf"{LARGE}|{BROKEN}|{EARLY}", service(tools=packed("gzip", bomb(GZIP), STREAM))),
    refused("a gzip bomb within the ratio", LARGE, service(tools=packed("gzip", bomb(GZIP, noise=12000)))),
    refused("a gzip bomb in the error of the probe", rf"{LARGE}|{BROKEN}", page(bomb(GZIP), 400, JSON, "Content-Encoding: gzip")),
    refused("a deflate bomb", rf"{LARGE}|{BROKEN}", service(tools=packed("deflate", bomb(DEFLATE)))),
    refused("a bare deflate bomb", rf"{LARGE}|{BROKEN}|{NOT_MCP}", service(tools=packed("deflate", bomb(RAW_DEFLATE)))),
    refused("a bomb packed twice", rf"{LARGE}|{BROKEN}|{NOT_MCP}", service(tools=packed("gzip, gzip", twice_packed()))),
    refused("gzip that is none", rf"{BROKEN}|{NOT_MCP}", service(tools=packed("gzip", b"plain " + CANARY.encode()))),
    refused("gzip that stops", rf"{BROKEN}|{NOT_MCP}", service(tools=packed("gzip", bomb(GZIP)[:50]))),
    refused("an encoding that we never asked for", NOT_MCP, service(tools=packed("br", b"\x8b\x03\x80{}\x03"))),
    refused("10^6 tools on one page", LARGE, service(tools=result(million_tools()))),
    refused("10^6 tools over pages", MANY_TOOLS, service(tools=pages(lambda n: f"c{n}", lambda n: numbered(600, 600 * n)))),
    refused("1001 tools", MANY_TOOLS, service(tools=tools(*numbered(1001)))),
    refused("10^6 values that are no tools", rf"{LARGE}|{NOT_MCP}", service(tools=result(b'{"tools":[%b0]}' % (b"0," * 1_000_000)))),
    refused("4 MiB of empty objects", rf"{LARGE}|{NOT_MCP}|tools", service(tools=result({"x": [{}] * 1_000_000}))),
    refused("tools of 128 KiB each", rf"{LARGE}", service(tools=pages(
        lambda n: f"c{n}", lambda n: [tool(f"t{n}-{m}", {"type": "object", "x": "y" * 130_000}) for m in range(30)]))),
    refused("100,000 header fields", BROKEN, page(b"{}", 200, JSON, *["X-A: b"] * 100_000)),
    refused("a header field of 1 MiB", BROKEN, page(b"{}", 200, JSON, "X-A: " + "b" * MEBIBYTE)),
    refused("trailers of 1 MiB", rf"{BROKEN}|{LARGE}", service(tools=raw(head(200, JSON, CHUNKED), chunk(b"{}"), b"0\r\nX: ", b"y" * MEBIBYTE))),
    refused("a chunk extension of 8 MiB", rf"{BROKEN}|{LARGE}", service(tools=raw(head(200, JSON, CHUNKED), b"1;x=", b"y" * (8 * MEBIBYTE)))),
]  # fmt: skip

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
    refused("invalid UTF-8 on a stream", NOT_MCP, service(tools=sse(b'data: {"jsonrpc":"2.0","id":2,"result":"\xff"}\n\n'))),
    refused("a lone surrogate", NOT_MCP, service(tools=result(b'{"tools":[{"name":"\\ud800","inputSchema":{}}]}'))),
    refused("UTF-16 with a byte order mark", NOT_MCP, service(tools=page(lambda r: envelope(TOOLS)(r).decode().encode("utf-16")))),
    refused("NUL bytes behind the answer", NOT_MCP, service(tools=page(lambda r: envelope(TOOLS)(r) + b"\0" * 1000))),
    refused("two answers in one body", NOT_MCP, service(tools=page(lambda r: envelope(TOOLS)(r) * 2))),
    refused("a key twice", NOT_MCP, service(tools=page(lambda r: envelope(TOOLS)(r)[:-1] + b',"result":{"tools":[]}}'))),
    refused("a key twice in a tool", NOT_MCP, service(tools=result(b'{"tools":[{"name":"a","name":"b","inputSchema":{}}]}'))),
    refused("the number 1e999999", NOT_MCP, service(tools=result(b'{"tools":[],"ttlMs":1e999999}'))),
    refused("a number of 10^6 digits", NOT_MCP, service(tools=result(b'{"tools":[],"x":' + b"9" * 1_000_000 + b"}"))),
    refused("NaN", NOT_MCP, service(tools=result(b'{"tools":[],"x":NaN}'))),
    refused("a batch", NOT_MCP, service(tools=page(lambda r: b"[" + envelope(TOOLS)(r) + b"]"))),
    refused("a batch on a stream", NOT_MCP, service(tools=sse(lambda r: b"data: [" + envelope(TOOLS)(r) + b"]\n\n"))),
    refused("result and error both", rf"{NOT_MCP}|error -?\d+", service(
        tools=page(lambda r: envelope(TOOLS)(r)[:-1] + b',"error":{"code":-32000,"message":"x"}}'))),
    refused("JSON-RPC 1.0", NOT_MCP, service(tools=page(lambda r: envelope(TOOLS)(r).replace(b'"2.0"', b'"1.0"')))),
    refused("an error without a code", NOT_MCP, service(tools=page(b'{"jsonrpc":"2.0","id":2,"error":{"message":"x"}}'))),
    refused("an error with a huge code", r"error -?\d+|does not answer", service(tools=error(-(2**62)))),
    *[refused(f"the id {json.dumps(id)}", NOT_MCP, service(tools=result(TOOLS, id)))
      for id in [987654, -1, 0, 2**63, 2**70, 2.5, "2", "3", "", None, True, [2], {}]],
    refused("no id", NOT_MCP, service(tools=page(b'{"jsonrpc":"2.0","result":{"tools":[]}}'))),
    refused("another id on a stream", EARLY, service(tools=sse(OTHER_ANSWER))),
    refused("another id to initialize", NOT_MCP, service(initialize=result(LEGACY_INFO, 77))),
    *[refused(f"the tools {json.dumps(value)}", NOT_MCP, service(tools=result({"tools": value})))
      for value in [{}, None, 5, "x", True]],
    refused("no tools member", NOT_MCP, service(tools=result({}))),
    *[refused(f"the result {json.dumps(value)}", NOT_MCP, service(tools=result(value))) for value in [[], None, 5, "x"]],
]  # fmt: skip

CONTENT_TYPES = [
    refused("a stream's type with a JSON body", EARLY, service(tools=page(envelope(TOOLS), 200, STREAM))),
    refused("a JSON type with a stream's body", NOT_MCP, service(tools=page(answered(TOOLS)))),
    refused("an image", NOT_MCP, page(b"\x89PNG\r\n\x1a\n" + CANARY.encode(), 200, "image/png")),
    refused("a type of 10 KiB", rf"{NOT_MCP}|{BROKEN}", page(HTML, 200, "a/" + "b" * 10_000)),
    refused("a multipart answer", NOT_MCP, page(b"--x\r\n\r\n{}\r\n--x--", 200, "multipart/mixed; boundary=x")),
]

REDIRECTED = [
    *[refused(f"{code} to another port", REDIRECTS, redirect(lambda r: f"http://127.0.0.1:{r.trap}/mcp", code))
      for code in [301, 302, 303, 307, 308]],
    *[refused(f"a redirect to {target}", REDIRECTS, redirect(target)) for target in [
        "http://169.254.169.254/", "http://169.254.169.254/latest/meta-data/iam", "http://[::1]/", "http://2130706433/",
        "https://pizza.invalid/mcp", "file:///etc/passwd", "javascript:alert(1)", "gopher://127.0.0.1/", "", "//", "://",
        "http://", "mcp:\\\\x", "x" * 20_000]],
    refused("a redirect to another host name", REDIRECTS, redirect(lambda r: f"http://localhost:{r.port}/mcp")),
    refused("a redirect without a scheme", REDIRECTS, redirect(lambda r: f"//127.0.0.1:{r.trap}/mcp")),
    refused("a redirect with backslashes", REDIRECTS, redirect(lambda r: f"\\\\127.0.0.1:{r.trap}/mcp")),
    refused("a redirect with user information", REDIRECTS, redirect(lambda r: f"http://127.0.0.1:{r.port}@127.0.0.1:{r.trap}/")),
    refused("a redirect with a user of this origin", REDIRECTS, redirect(lambda r: f"http://u:p@127.0.0.1:{r.port}/mcp")),
    refused("a redirect to https", REDIRECTS, redirect(lambda r: f"https://127.0.0.1:{r.port}/mcp")),
    refused("a redirect to itself", REDIRECTS, redirect(lambda r: f"http://127.0.0.1:{r.port}/mcp")),
    refused("a redirect loop over paths", REDIRECTS, redirect(lambda r: r.path + "/x")),
    refused("a redirect to itself and the trap", REDIRECTS, lambda r: redirect(
        "/there" if r.path == "/mcp" else f"http://127.0.0.1:{r.trap}/")(r)),
    refused("a redirect of the tools", REDIRECTS, service(tools=redirect(lambda r: f"http://127.0.0.1:{r.trap}/mcp"))),
    *[refused(f"{code} without a Location", rf"{REDIRECTS}|HTTP status {code}", redirect(None, code))
      for code in [300, 301, 304, 305, 307, 399]],
    kept("one hop within the origin", lambda r: (service() if r.path == "/mcp/" else redirect("/mcp/"))(r), "good"),
]  # fmt: skip

FRAMING = [
    refused("an early close", UNREACHED + "|" + BROKEN, raw()),
    refused("a close within the status line", UNREACHED + "|" + BROKEN, raw(b"HTTP/1.")),
    refused("a close within the headers", UNREACHED + "|" + BROKEN, raw(b"HTTP/1.1 200 OK\r\nContent-")),
    refused("a close within a chunk", BROKEN, service(tools=raw(head(200, JSON, CHUNKED), b"ff\r\n{"))),
    *[refused(f"instead of HTTP {words[:20]!r}", UNREACHED + "|" + BROKEN, raw(words)) for words in [
        b"SSH-2.0-OpenSSH_9.6\r\n", b"\0" * 1000, b"\xff" * 1000, b"220 smtp " + CANARY.encode() + b"\r\n", b"HTTP/1.1\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n", b"HTTP/1.1 OK 200\r\n\r\n", b"HTTP/1.1 20000 OK\r\n\r\n", b"HTTP/1.1 -1 OK\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n" * 1000, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]],
    *[refused(f"the header {field[:20]!r}", rf"{UNREACHED}|{BROKEN}|{NOT_MCP}", raw(
        b"HTTP/1.1 200 OK\r\n" + field + b"\r\n\r\n{}")) for field in [
        b"No colon", b": no name", b"Bad name : x", b"N\0l: x", b"X: a\0b", b" folded: x", b"Transfer-Encoding: rubbish",
        b"Content-Length: -1", b"Content-Length: 1\r\nContent-Length: 2", b"Content-Length: 0x10",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked"]],
    *[refused(f"the chunk {size!r}", rf"{BROKEN}|{NOT_MCP}", service(tools=raw(head(200, JSON, CHUNKED), size + b"\r\n{}\r\n0\r\n\r\n")))
      for size in [b"-2", b"zz", b"", b"fffffffffffffffff", b"0x2"]],
    refused("an answer as upgrade", rf"{UNREACHED}|{BROKEN}|HTTP status 101|{NOT_MCP}",
            raw(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", b"\x81\x05hello")),
    refused("TLS garbage", TLS, raw(b"\x16\x03\x01\xff\xff" + b"\xff" * 5000), scheme="https"),
    refused("plain HTTP where TLS should be", TLS, page(HTML), scheme="https"),
    refused("a certificate of its own", TLS, service(), scheme="https", tls=True),
    refused("TLS where plain HTTP should be", UNREACHED + "|" + BROKEN, service(), tls=True),
]  # fmt: skip

STATUSES = [
    *[status(code) for code in [400, 402, 404, 405, 406, 409, 410, 418, 421, 431, 451, 499, 500, 501, 505, 507, 511, 599]],
    *[status(code) for code in [502, 503, 504, 600, 777, 999]],
    status(429), status(429, "", "Retry-After: 99999"), status(429, "", "Retry-After: -5"),
    status(429, "", "Retry-After: " + "9" * 50), status(429, "", "Retry-After: Thu, 01 Jan 2099 00:00:00 GMT"),
    *[refused(f"status {code}", NOT_MCP, page(status=code, type=None)) for code in [202, 204, 205]],
    *[refused(f"status {code} with HTML", NOT_MCP, page(HTML, code, "text/html")) for code in [201, 203, 206, 207, 226, 299]],
    refused("202 to tools/list", NOT_MCP, service(tools=page(b"Accepted", 202, "text/plain"))),
    refused("500 to initialized", "HTTP status 500", service(initialized=page(HTML, 500, "text/html"))),
    refused("an answer with status 500", "HTTP status 500", service(tools=page(envelope(TOOLS), 500))),
    kept("401 to everything", page(HTML, 401, "text/html", f"WWW-Authenticate: Bearer x=\"{CANARY}\"")),
    kept("401 with a challenge of 60 KiB", page(HTML, 401, "text/html", "WWW-Authenticate: " + "Bearer," * 8_000)),
    kept("403 to everything", page(HTML, 403, "text/html")),
]  # fmt: skip

HANDSHAKE = [
    *[refused(f"a session id of {name}", rf"{SESSION}|{BROKEN}", service(initialize=agreement(f"Mcp-Session-Id: {id}")))
      for name, id in [("control characters", "a\x01b"), ("a NUL", "a\0b"), ("a tab", "a\tb"), ("a blank", "a b"),
                       ("Latin-1", "\xe9\xff"), ("nothing", ""), ("10 KiB", "s" * 10_240)]],
    refused("a session that is lost for ever", r"HTTP status 404|session",
            service(initialize=agreement("Mcp-Session-Id: lost"), tools=page(HTML, 404, "text/html"))),
    *[refused(f"the version {json.dumps(version)}", rf"{VERSION}|{NOT_MCP}", service(initialize=agreement(protocolVersion=version)))
      for version in ["1999-01-01", "2026-07-28", "2099-01-01", "", "latest", "v" * 100_000, None, 20251125, []]],
    refused("versions of the future only", VERSION, error(-32022, 400, {"supported": ["2099-01-01"], "requested": "x"})),
    refused("the refused version as supported for ever", rf"{VERSION}|error -32022", error(-32022, 400, {"supported": ["2026-07-28"]})),
    refused("10^5 supported versions", rf"{VERSION}|error -32022", error(-32022, 400, {"supported": ["x"] * 100_000})),
    refused("supported versions of a wrong type", rf"{VERSION}|error -32022", error(-32022, 400, {"supported": {"a": 1}})),
    refused("headers that don't suit", "error -32020", error(-32020, 400)),
    refused("capabilities that we lack", "error -32021", error(-32021, 400, {"required": [CANARY]})),
    refused("errors to everything", r"error -32000", error(-32000)),
    refused("an answer that wants input", r"complete", modern(tools=tools(GOOD_TOOL, resultType="input_required"))),
    refused("an answer of an unknown type", r"complete", modern(tools=tools(GOOD_TOOL, resultType=CANARY))),
    refused("an answer whose type is no text", r"complete", modern(tools=tools(GOOD_TOOL, resultType=[1]))),
    refused("a probe that wants input", r"complete", modern(discover=discovery(resultType="input_required"))),
    kept("no capabilities", service(initialize=result({"protocolVersion": "2025-11-25", "serverInfo": {"name": "x"}}))),
    kept("capabilities of a wrong type", service(initialize=agreement(capabilities=[1, 2]))),
    refused("requests in a flood", REQUESTS, service(tools=flood({"id": 1, "method": "sampling/createMessage", "params": {}}, 20_000))),
    refused("pings in a flood", REQUESTS, service(tools=flood({"id": 1} | PING, 20_000))),
    refused("pings with ids of 10 KiB", REQUESTS, service(tools=flood({"id": "i" * 10_240} | PING, 30))),
    kept("a few pings", service(tools=flood({"id": 1} | PING, 3)), "good"),
    kept("20,000 notifications", service(tools=flood({"method": "notifications/x"}, 20_000)), "good"),
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
    kept("invisible characters in names", two_tools(*[tool(f"a{c}b") for c in "\u200b\u2060\ufeff\U000e0041\u2028"]), "good"),
    kept("names that begin or end with white space", two_tools(tool(" a"), tool("a "), tool("\u00a0a"), tool(" ")), "good"),
    kept("1000 tools of one name", service(tools=tools(*[GOOD_TOOL] * 1000)), "good"),
    kept("schemas that are no objects", two_tools(*[tool(f"t{n}", s) for n, s in enumerate([[], 1, "x", True, 1.5])]), "good"),
    kept("a tool without a schema", two_tools({"name": "bare"}), "good"),
    kept("a schema of 1 MiB", two_tools(tool("large", {"x": "y" * MEBIBYTE})), "good"),
    kept("a schema of 33 levels", two_tools(tool("deep", json.loads(nested(33)))), "good"),
    kept("a description of 3 MiB", service(tools=tools(GOOD_TOOL | {"description": "d" * (3 * MEBIBYTE)})), "good"),
    kept("descriptions of wrong types", service(tools=tools(GOOD_TOOL | {"description": 1, "title": [], "annotations": "x"})), "good"),
    kept("references to the trap", lambda r: service(tools=tools(tool("good", {
        "$schema": f"http://127.0.0.1:{r.trap}/s", "$id": f"http://127.0.0.1:{r.trap}/i", "type": "object",
        "properties": {"a": {"$ref": f"http://127.0.0.1:{r.trap}/a"}, "b": {"$dynamicRef": f"http://127.0.0.1:{r.trap}/b"}},
    }, icons=[{"src": f"http://127.0.0.1:{r.trap}/icon.png"}], outputSchema={"$ref": f"http://127.0.0.1:{r.trap}/o"})))(r), "good"),
    kept("a description at the trap's address", lambda r: service(
        initialize=agreement(capabilities={"tools": {}, "resources": {}}),
        resources=result({"resources": [{"name": "service_description", "uri": f"http://127.0.0.1:{r.trap}/d"}]}),
        read=result({"contents": [{"uri": f"http://127.0.0.1:{r.trap}/d", "text": "kind"}]}))(r), "good"),
    kept("endless resources", service(
        initialize=agreement(capabilities={"tools": {}, "resources": {}}),
        resources=pages(lambda n: f"c{n}", lambda n: [])), "good"),
    kept("a gzip bomb as description", service(
        initialize=agreement(capabilities={"tools": {}, "resources": {}}), resources=packed("gzip", bomb(GZIP))), "good"),
    kept("x-mcp-header rubbish", modern(tools=tools(
        *[tool(f"t{n}", properties({"type": "string", "x-mcp-header": value})) for n, value in enumerate(MIRROR_RUBBISH)],
        mirrored({"type": "string", "x-mcp-header": "Twice"}, {"type": "string", "x-mcp-header": "tWICE"}),
        mirrored({"type": "object", "x-mcp-header": "Object"}), mirrored({"x-mcp-header": "Untyped"}),
        mirrored({"type": "array", "items": {"type": "string", "x-mcp-header": "Item"}}),
        mirrored({"anyOf": [{"type": "string", "x-mcp-header": "Branch"}]}),
        tool("root", {"type": "object", "x-mcp-header": "Root"}), GOOD_TOOL)), "good"),
]  # fmt: skip

OLD_TRANSPORT = [
    refused("an endpoint at another port", ENDPOINT, old_service(endpoint(lambda r: f"http://127.0.0.1:{r.trap}/messages"), HOLD)),
    refused("an endpoint at another host name", ENDPOINT, old_service(endpoint(lambda r: f"http://localhost:{r.port}/messages"), HOLD)),
    refused("an endpoint without a scheme", ENDPOINT, old_service(endpoint(lambda r: f"//127.0.0.1:{r.trap}/messages"), HOLD)),
    refused("an endpoint with a user", ENDPOINT, old_service(endpoint(lambda r: f"http://127.0.0.1:{r.port}@127.0.0.1:{r.trap}/"), HOLD)),
    *[refused(f"the endpoint {uri[:40]!r}", ENDPOINT, old_service(endpoint(uri), HOLD)) for uri in [
        "javascript:alert(1)", "file:///etc/passwd", "http://169.254.169.254/latest", "https://pizza.invalid/", "data:,x", ""]],
    refused("an endpoint at the trap from /sse", ENDPOINT, old_service(
        endpoint(lambda r: f"http://127.0.0.1:{r.trap}/messages"), HOLD), path="/sse"),
    refused("an endpoint of 10 MB", rf"{LARGE}|{ENDPOINT}", old_service(event("/" + "x" * 10_000_000, "event: endpoint"), HOLD)),
    refused("an endpoint of 100 KB", rf"{LARGE}|{ENDPOINT}", old_service(event("/" + "x" * 100_000, "event: endpoint"), HOLD)),
    slow("an endpoint that is never sent", old_service(b": wait\n\n", HOLD)),
    slow("an endpoint that is never sent, from /sse", old_service(HOLD), path="/sse"),
    slow("an endpoint that never answers", old_service(endpoint("/messages"), HOLD)),
    refused("another event first", rf"{NOT_MCP}|{ENDPOINT}|HTTP status 405|no MCP endpoint", old_service(event({"x": CANARY}), HOLD)),
    refused("a stream that ends before its endpoint", rf"{NOT_MCP}|{EARLY}|{ENDPOINT}|HTTP status 405", old_service()),
    refused("a stream that ends after its endpoint", rf"{EARLY}|{NOT_MCP}|{BROKEN}", old_service(endpoint("/messages"))),
    refused("endless comments before the endpoint", rf"{LARGE}|{SLOW}", lambda r: (
        endless(head(200, STREAM), b": comment\n" * 6000) if r.verb == "GET" else page(HTML, 405, "text/html"))(r)),
    refused("messages that are redirected", REDIRECTS, old_service(
        endpoint("/messages"), HOLD, posts=redirect(lambda r: f"http://127.0.0.1:{r.trap}/"))),
    refused("messages that are refused", r"HTTP status 500", old_service(endpoint("/messages"), HOLD, posts=page(HTML, 500, "text/html"))),
]  # fmt: skip

CASES: list[Case] = [
    *SILENCE, *SIZE, *PAGING, *PARSING, *CONTENT_TYPES, *REDIRECTED, *FRAMING, *STATUSES, *HANDSHAKE, *TOOL_LISTS,
    *OLD_TRANSPORT,
]  # fmt: skip
