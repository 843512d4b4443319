"""What a service may do to HTTP and to streams: silence, sizes, redirects, framing, statuses, HTTP+SSE."""

import gzip
from queue import Queue

from answers import (
    CANARY, JSON, KIBIBYTES_64, MEBIBYTE, SERVER_INFO, STREAM, agreement, answered, bomb, chunk, drip, endless,
    endpoint, envelope, event, flood, head, late, million_tools, modern, numbered, old_service, packed, page, pages,
    raw, redirect, result, service, similar, sse, tool, tools, twice_packed,
)  # fmt: skip
from cases import (
    BLOCK, BROKEN, CHUNKED, DEFLATE, EARLY, ENDPOINT, FLOODED, GZIP, HTML, LARGE, MANY_TOOLS, NOT_MCP, OPEN_ARRAY,
    OTHER_ANSWER, PING, RAW_DEFLATE, REDIRECTS, SLOW, TLS, TOOLS, UNREACHED, again, kept, refused, slow, status,
)  # fmt: skip
from servers import HOLD, Answer, Behaviour, Request

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
    slow("endless chunks of 3 bytes",
        service(tools=endless(head(200, JSON, CHUNKED), chunk(b"{},") * 999)), rf"{SLOW}|{LARGE}"),
    slow("a stream that is kept alive", service(tools=endless(head(200, STREAM), b": still here\n\n", 0.2))),
    slow("a page every 0.2 s", service(tools=late(0.2, pages(lambda n: f"c{n}", lambda n: [])))),
    slow("a TLS handshake that stops", raw(HOLD), rf"{SLOW}|{TLS}", scheme="https"),
    slow("interim answers without end", endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n", 0.1), rf"{SLOW}|{BROKEN}"),
    slow("interim answers in a flood", endless(b"", b"HTTP/1.1 103 Hints\r\n\r\n" * 1000), rf"{SLOW}|{BROKEN}"),
    slow("503 with a wait of a day", page(HTML, 503, "text/html", "Retry-After: 86400"), r"HTTP status 503"),
    slow("429 with a wait of 30 s", page(HTML, 429, "text/html", "Retry-After: 30"), rf"HTTP status 429|{SLOW}"),
    slow("pings now and then",
        service(tools=endless(head(200, STREAM), event({"jsonrpc": "2.0", "id": 1} | PING), 1.5))),
    slow("a description that never comes", service(
        initialize=agreement(capabilities={"tools": {}, "resources": {}}), resources=raw(HOLD)), "", kept=("good",)),
]  # fmt: skip

FLOODS = [
    refused("endless events of other ids", FLOODED, service(tools=endless(head(200, STREAM), OTHER_ANSWER * 500))),
    refused("endless notifications", FLOODED, service(tools=flood({"method": "notifications/progress", "params": {}}))),
    refused("one endless event of many lines", FLOODED, service(tools=endless(head(200, STREAM), b"data:\n" * 10000))),
    refused("endless empty lines on a stream", FLOODED,
        service(tools=endless(head(200, STREAM), b"\n" * KIBIBYTES_64))),
    refused("other events without end", FLOODED,
        service(tools=endless(head(200, STREAM), event("x", "event: other") * 2000))),
    refused("4 MiB of objects again and again", FLOODED,
        service(tools=pages(lambda n: f"c{n}", lambda n: [{}] * 190_000))),
]  # fmt: skip
"""Work for the registry, which are registered at the same time."""

SIZE = [
    refused("endless comments on a stream", rf"{LARGE}|{SLOW}",
        service(tools=endless(head(200, STREAM), b": comment\n" * 6000))),
    refused("one endless event", LARGE, service(tools=endless(head(200, STREAM) + b"data: ", BLOCK))),
    refused("endless blanks as JSON", LARGE, service(tools=endless(head(), BLOCK))),
    refused("endless chunks of JSON",
        LARGE, service(tools=endless(head(200, JSON, CHUNKED) + chunk(OPEN_ARRAY), chunk(b"{}," * 9999)))),
    refused("endless HTML", LARGE, endless(head(200, "text/html"), HTML * 1000)),
    refused("a huge Content-Length and its bytes",
        LARGE, endless(head(200, JSON, "Content-Length: 99999999999"), BLOCK)),
    refused("a Content-Length that ends early", BROKEN,
        service(tools=raw(head(200, JSON, "Content-Length: 99999999"), b"{"))),
    again("a Content-Length above 2^64", BROKEN,
        service(tools=raw(head(200, JSON, "Content-Length: 99999999999999999999"), b"{}"))),
    refused("a gzip bomb of JSON", rf"{LARGE}|{BROKEN}", service(tools=packed("gzip", bomb(GZIP)))),
    refused("a gzip bomb on a stream", rf"{LARGE}|{BROKEN}|{EARLY}", service(tools=packed("gzip", bomb(GZIP), STREAM))),
    refused("a gzip bomb that is packed less well", LARGE, service(tools=packed("gzip", bomb(GZIP, noise=12000)))),
    refused("a gzip bomb in the error of the probe",
        rf"{LARGE}|{BROKEN}", page(bomb(GZIP), 400, JSON, "Content-Encoding: gzip")),
    kept("400 tools that resemble each other, packed to a hundredth",
        service(tools=lambda r: packed("gzip", gzip.compress(envelope({"tools": [*similar(400)]})(r)))(r)),
            *[each["name"] for each in similar(400)]),
    refused("a deflate bomb", rf"{LARGE}|{BROKEN}", service(tools=packed("deflate", bomb(DEFLATE)))),
    refused("a bare deflate bomb", rf"{LARGE}|{BROKEN}|{NOT_MCP}", service(tools=packed("deflate", bomb(RAW_DEFLATE)))),
    refused("a bomb packed twice", rf"{LARGE}|{BROKEN}|{NOT_MCP}", service(tools=packed("gzip, gzip", twice_packed()))),
    refused("gzip that is none", rf"{BROKEN}|{NOT_MCP}", service(tools=packed("gzip", b"plain " + CANARY.encode()))),
    refused("gzip that stops", rf"{BROKEN}|{NOT_MCP}", service(tools=packed("gzip", bomb(GZIP)[:50]))),
    refused("an encoding that we never asked for", NOT_MCP, service(tools=packed("br", b"\x8b\x03\x80{}\x03"))),
    refused("10^6 tools on one page", LARGE, service(tools=result(million_tools()))),
    refused("10^6 tools over pages", MANY_TOOLS,
        service(tools=pages(lambda n: f"c{n}", lambda n: numbered(600, 600 * n)))),
    refused("1001 tools", MANY_TOOLS, service(tools=tools(*numbered(1001)))),
    refused("10^6 values that are no tools", LARGE, service(tools=result(b'{"tools":[%b0]}' % (b"0," * 1_000_000)))),
    refused("4 MiB of empty objects", LARGE, service(tools=result(b'{"tools":[%b{}]}' % (b"{}," * 1_390_000)))),
    refused("4 MiB of empty texts", LARGE, service(tools=result(b'{"tools":[%b0]}' % (b'"",' * 1_390_000)))),
    refused("4 MiB of objects within the envelope", LARGE, page(b'{"x":[%b{}]}' % (b'{"a":{}},' * 460_000))),
    refused("4 MiB of objects on a stream", LARGE, service(tools=sse(b"data: [" + b"{}," * 340_000 + b"{}]\n\n"))),
    refused("190,000 objects that are no tools", MANY_TOOLS, service(tools=result(b'{"tools":[%b0]}' % (b"{}," * 190_000)))),
    refused("tools of 128 KiB each", rf"{LARGE}", service(tools=pages(
        lambda n: f"c{n}", lambda n: [tool(f"t{n}-{m}", {"type": "object", "x": "y" * 130_000}) for m in range(30)]))),
    again("100,000 header fields", BROKEN, page(b"{}", 200, JSON, *["X-A: b"] * 100_000)),
    again("a header field of 1 MiB", BROKEN, page(b"{}", 200, JSON, "X-A: " + "b" * MEBIBYTE)),
    refused("trailers of 1 MiB",
        rf"{BROKEN}|{LARGE}", service(tools=raw(head(200, JSON, CHUNKED), chunk(b"{}"), b"0\r\nX: ", b"y" * MEBIBYTE))),
    refused("a chunk extension of 8 MiB",
        rf"{BROKEN}|{LARGE}", service(tools=raw(head(200, JSON, CHUNKED), b"1;x=", b"y" * (8 * MEBIBYTE)))),
]  # fmt: skip

REDIRECTED = [
    *[refused(f"{code} to another port", REDIRECTS, redirect(lambda r: f"http://127.0.0.1:{r.trap}/mcp", code))
      for code in [301, 302, 303, 307, 308]],
    *[refused(f"a redirect to {target!r}", REDIRECTS, redirect(target)) for target in [
        "http://169.254.169.254/", "http://169.254.169.254/latest/meta-data/iam", "http://[::1]/", "http://2130706433/",
        "https://pizza.invalid/mcp", "file:///etc/passwd", "javascript:alert(1)", "gopher://127.0.0.1/", "", "//",
            "://",
        "http://", "mcp:\\\\x", "x" * 20_000]],
    refused("a redirect to another host name", REDIRECTS, redirect(lambda r: f"http://localhost:{r.port}/mcp")),
    refused("a redirect without a scheme", REDIRECTS, redirect(lambda r: f"//127.0.0.1:{r.trap}/mcp")),
    refused("a redirect with backslashes", REDIRECTS, redirect(lambda r: f"\\\\127.0.0.1:{r.trap}/mcp")),
    refused("a redirect with user information", REDIRECTS,
        redirect(lambda r: f"http://127.0.0.1:{r.port}@127.0.0.1:{r.trap}/")),
    refused("a redirect with a user of this origin", REDIRECTS,
        redirect(lambda r: f"http://u:p@127.0.0.1:{r.port}/mcp")),
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
    again("an early close", UNREACHED + "|" + BROKEN, raw()),
    again("a close within the status line", UNREACHED + "|" + BROKEN, raw(b"HTTP/1.")),
    again("a close within the headers", UNREACHED + "|" + BROKEN, raw(b"HTTP/1.1 200 OK\r\nContent-")),
    again("a close within a chunk", BROKEN, service(tools=raw(head(200, JSON, CHUNKED), b"ff\r\n{"))),
    *[again(f"instead of HTTP {words[:20]!r}", UNREACHED + "|" + BROKEN, raw(words)) for words in [
        b"SSH-2.0-OpenSSH_9.6\r\n", b"\0" * 1000, b"\xff" * 1000, b"220 smtp " + CANARY.encode() + b"\r\n",
            b"HTTP/1.1\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n", b"HTTP/1.1 OK 200\r\n\r\n", b"HTTP/1.1 20000 OK\r\n\r\n", b"HTTP/1.1 -1 OK\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n" * 1000, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]],
    *[again(f"the header {field[:20]!r}", rf"{UNREACHED}|{BROKEN}|{NOT_MCP}", raw(
        b"HTTP/1.1 200 OK\r\n" + field + b"\r\n\r\n{}")) for field in [
        b"No colon", b": no name", b"Bad name : x", b"N\0l: x", b"X: a\0b", b" folded: x",
            b"Transfer-Encoding: rubbish",
        b"Content-Length: -1", b"Content-Length: 1\r\nContent-Length: 2", b"Content-Length: 0x10",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked"]],
    *[again(f"the chunk {size!r}",
        rf"{BROKEN}|{NOT_MCP}", service(tools=raw(head(200, JSON, CHUNKED), size + b"\r\n{}\r\n0\r\n\r\n")))
      for size in [b"-2", b"zz", b"", b"fffffffffffffffff", b"0x2"]],
    again("an answer as upgrade", rf"{UNREACHED}|{BROKEN}|HTTP status 101|{NOT_MCP}",
            raw(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", b"\x81\x05hello")),
    again("TLS garbage", TLS, raw(b"\x16\x03\x01\xff\xff" + b"\xff" * 5000), scheme="https"),
    again("plain HTTP where TLS should be", TLS, page(HTML), scheme="https"),
    again("a certificate of its own", TLS, service(), scheme="https", tls=True),
    again("TLS where plain HTTP should be", UNREACHED + "|" + BROKEN, service(), tls=True),
]  # fmt: skip

STATUSES = [
    *[status(code) for code in [400, 402, 404, 405, 406, 409, 410, 418, 421, 431, 451, 499, 500, 501, 505, 507, 511,
        599]],
    *[status(code) for code in [600, 777, 999]],
    *[again(f"status {code}", rf"HTTP status {code}", page(HTML, code, "text/html")) for code in [502, 503, 504]],
    status(429), status(429, "", "Retry-After: 99999"), status(429, "", "Retry-After: -5"),
    status(429, "", "Retry-After: " + "9" * 50), status(429, "", "Retry-After: Thu, 01 Jan 2099 00:00:00 GMT"),
    *[refused(f"status {code}", NOT_MCP, page(status=code, type=None)) for code in [202, 204, 205]],
    *[refused(f"status {code} with HTML", NOT_MCP,
        page(HTML, code, "text/html")) for code in [201, 203, 206, 207, 226, 299]],
    refused("202 to tools/list", NOT_MCP, service(tools=page(b"Accepted", 202, "text/plain"))),
    refused("500 to initialized", "HTTP status 500", service(initialized=page(HTML, 500, "text/html"))),
    refused("an answer with status 500", "HTTP status 500", service(tools=page(envelope(TOOLS), 500))),
    kept("401 to everything", page(HTML, 401, "text/html", f"WWW-Authenticate: Bearer x=\"{CANARY}\"")),
    kept("401 with a challenge of 60 KiB", page(HTML, 401, "text/html", "WWW-Authenticate: " + "Bearer," * 8_000)),
    kept("403 to everything", page(HTML, 403, "text/html")),
]  # fmt: skip

OLD_TRANSPORT = [
    refused("an endpoint at another port", ENDPOINT,
        old_service(endpoint(lambda r: f"http://127.0.0.1:{r.trap}/messages"), HOLD)),
    refused("an endpoint at another host name", ENDPOINT,
        old_service(endpoint(lambda r: f"http://localhost:{r.port}/messages"), HOLD)),
    refused("an endpoint without a scheme", ENDPOINT,
        old_service(endpoint(lambda r: f"//127.0.0.1:{r.trap}/messages"), HOLD)),
    refused("an endpoint with a user", ENDPOINT,
        old_service(endpoint(lambda r: f"http://127.0.0.1:{r.port}@127.0.0.1:{r.trap}/"), HOLD)),
    *[refused(f"the endpoint {uri[:40]!r}", ENDPOINT, old_service(endpoint(uri), HOLD)) for uri in [
        "javascript:alert(1)", "file:///etc/passwd", "http://169.254.169.254/latest", "https://pizza.invalid/",
            "data:,x", ""]],
    refused("an endpoint at the trap from /sse", ENDPOINT, old_service(
        endpoint(lambda r: f"http://127.0.0.1:{r.trap}/messages"), HOLD), path="/sse"),
    refused("an endpoint of 10 MB",
        rf"{LARGE}|{ENDPOINT}", old_service(event("/" + "x" * 10_000_000, "event: endpoint"), HOLD)),
    refused("an endpoint of 100 KB",
        rf"{LARGE}|{ENDPOINT}", old_service(event("/" + "x" * 100_000, "event: endpoint"), HOLD)),
    slow("an endpoint that is never sent", old_service(b": wait\n\n", HOLD)),
    slow("an endpoint that is never sent, from /sse", old_service(HOLD), path="/sse"),
    slow("an endpoint that never answers", old_service(endpoint("/messages"), HOLD)),
    refused("another event first",
        rf"{NOT_MCP}|{ENDPOINT}|HTTP status 405|no MCP endpoint", old_service(event({"x": CANARY}), HOLD)),
    refused("a stream that ends before its endpoint", rf"{NOT_MCP}|{EARLY}|{ENDPOINT}|HTTP status 405", old_service()),
    refused("a stream that ends after its endpoint",
        rf"{EARLY}|{NOT_MCP}|{BROKEN}", old_service(endpoint("/messages"))),
    refused("endless comments before the endpoint", rf"{LARGE}|{SLOW}", lambda r: (
        endless(head(200, STREAM), b": comment\n" * 6000) if r.verb == "GET" else page(HTML, 405, "text/html"))(r)),
    refused("messages that are redirected", REDIRECTS, old_service(
        endpoint("/messages"), HOLD, posts=redirect(lambda r: f"http://127.0.0.1:{r.trap}/"))),
    refused("messages that are refused",
        r"HTTP status 500", old_service(endpoint("/messages"), HOLD, posts=page(HTML, 500, "text/html"))),
]  # fmt: skip

DRIPPING_GOODBYE = service(initialize=agreement("Mcp-Session-Id: s"), DELETE=drip(head(), b" "))
OPEN_ANSWER = raw(head(202, "text/plain", CHUNKED), HOLD)


def accepting_old_service() -> Behaviour:
    """A service of HTTP+SSE that answers on its stream, and never ends what it says to a message."""
    posted: Queue[Request] = Queue()
    agreed = {"protocolVersion": "2024-11-05", "capabilities": {"tools": {}}, "serverInfo": SERVER_INFO}

    def stream(request: Request) -> Answer:
        yield head(200, STREAM) + endpoint("/messages")(request)
        while True:
            message = posted.get()
            if message.id is not None:
                yield answered(TOOLS if message.method == "tools/list" else agreed)(message)

    def answer(request: Request) -> Answer:
        if request.verb == "GET":
            return stream(request)
        if request.path != "/messages":
            return page(HTML, 405, "text/html")(request)
        posted.put(request)
        return OPEN_ANSWER(request)

    return answer


COURTESIES = [
    kept("a goodbye that drips", DRIPPING_GOODBYE, "good"),
    kept("a goodbye that is never answered",
        service(initialize=agreement("Mcp-Session-Id: s"), DELETE=raw(HOLD)), "good"),
    kept("a reply to a ping that stays open",
        service(reply=OPEN_ANSWER, tools=sse(event({"jsonrpc": "2.0", "id": 1} | PING), answered(TOOLS), HOLD)), "good"),
    kept("202s that stay open", accepting_old_service(), "good"),
]  # fmt: skip

TRANSPORT_CASES = [*SILENCE, *SIZE, *REDIRECTED, *FRAMING, *STATUSES, *OLD_TRANSPORT, *COURTESIES]
