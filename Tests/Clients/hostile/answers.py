"""Answers of services, good and bad: the pieces that the cases are put together from."""

import gzip
import itertools
import json
import random
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from servers import Answer, Behaviour, Request

CANARY = "Zanzibar-7731"
"""Stands in every body that must not be repeated to anybody."""

JSON = "application/json"
STREAM = "text/event-stream"
MEBIBYTE = 1 << 20
KIBIBYTES_64 = 1 << 16

GOOD_TOOL = {"name": "good", "description": f"A good tool of {CANARY}", "inputSchema": {"type": "object"}}
LEGACY_CAPABILITIES = {"tools": {}}
SERVER_INFO = {"name": CANARY, "version": "1"}

Body = bytes | Callable[[Request], bytes]


# MARK: HTTP


def head(status: int | str = 200, type: str | None = JSON, *fields: str) -> bytes:
    """A status line and header fields; the body then ends with the connection, unless a field says otherwise."""
    lines = [f"HTTP/1.1 {status} Whatever", "Connection: close", *([f"Content-Type: {type}"] if type else []), *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def page(body: Body = b"", status: int | str = 200, type: str | None = JSON, *fields: str) -> Behaviour:
    """A whole answer with its length."""

    def answer(request: Request) -> Answer:
        content = body(request) if callable(body) else body
        yield head(status, type, f"Content-Length: {len(content)}", *fields) + content

    return answer


def raw(*parts: bytes | float) -> Behaviour:
    """Exactly these bytes and pauses."""
    return lambda request: parts


def endless(start: bytes, *parts: bytes | float) -> Behaviour:
    """The parts again and again, for ever."""
    return lambda request: itertools.chain([start], itertools.cycle(parts))


def late(seconds: float, behaviour: Behaviour) -> Behaviour:
    """The same after a while."""
    return lambda request: itertools.chain([seconds], behaviour(request))


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def packed(encoding: str, body: bytes, type: str = JSON) -> Behaviour:
    return page(body, 200, type, f"Content-Encoding: {encoding}")


@cache
def bomb(container: int, size: int = 128 * MEBIBYTE, start: bytes = b"", noise: int = 0) -> bytes:
    """Blanks, packed: a thousandth of its size, or more with bytes of noise in each mebibyte.

    `container` is zlib's `wbits`: 31 for gzip, 15 for deflate, -15 for deflate without a head.
    """
    packer = zlib.compressobj(9, wbits=container)
    dice = random.Random(1)
    parts = [packer.compress(start)]
    for _ in range(size // MEBIBYTE):
        parts.append(packer.compress(dice.randbytes(noise).hex().encode() + b" " * (MEBIBYTE - 2 * noise)))
    return b"".join([*parts, packer.flush()])


def twice_packed() -> bytes:
    return gzip.compress(bomb(31))


# MARK: JSON-RPC


def envelope(result: Any, id: Any = ...) -> Callable[[Request], bytes]:
    """A result as the answer to the request, or under another id. Bytes are put in as they are."""

    def body(request: Request) -> bytes:
        content = result if isinstance(result, bytes) else json.dumps(result).encode()
        given = json.dumps(request.id if id is ... else id).encode()
        return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (given, content)

    return body


def result(value: Any, id: Any = ..., *fields: str) -> Behaviour:
    return page(envelope(value, id), 200, JSON, *fields)


def error(code: int, status: int = 200, data: Any = None) -> Behaviour:
    def body(request: Request) -> bytes:
        fault = {"code": code, "message": CANARY, "data": data}
        return json.dumps({"jsonrpc": "2.0", "id": request.id, "error": fault}).encode()

    return page(body, status)


def tools(*listed: Any, **more: Any) -> Behaviour:
    """A page of `tools/list`."""
    return result({"tools": [*listed]} | more)


def tool(name: Any = "bad", schema: Any = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"} if schema is None else schema} | more


def nested(levels: int) -> bytes:
    """Objects in objects."""
    return b'{"items":' * levels + b"{}" + b"}" * levels


def deep_tools(levels: int) -> Behaviour:
    """A tool with a schema of so many levels, and a good one."""
    good = json.dumps(GOOD_TOOL).encode()
    return result(b'{"tools":[{"name":"deep","inputSchema":%b},%b]}' % (nested(levels), good))


def properties(*schemas: Any) -> dict[str, Any]:
    """An input schema with a property for each of the schemas."""
    return {"type": "object", "properties": {f"p{number}": schema for number, schema in enumerate(schemas)}}


# MARK: Pages of tools


def pages(next_cursor: Callable[[int], Any], listed: Callable[[int], list[Any]]) -> Behaviour:
    """Pages by their number, from 0; the cursor `next_cursor` returns is led by the number of the page it opens."""
    served = itertools.count()

    def answer(request: Request) -> Answer:
        number = next(served)
        return tools(*listed(number), nextCursor=next_cursor(number))(request)

    return answer


def numbered(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [tool(f"t{number}") for number in range(first, first + count)]


def similar(count: int) -> list[dict[str, Any]]:
    """As a generator makes them: long, and nearly the same."""
    schema = properties(*[{"type": "string", "description": "An identifier of the thing that is meant. " * 4}] * 8)
    return [tool(f"get_thing_{number}", schema, description="Gets a thing. " * 20) for number in range(count)]


@cache
def million_tools() -> bytes:
    return b'{"tools":[%b]}' % b",".join(b'{"name":"t%d","inputSchema":{}}' % n for n in range(1_000_000))


# MARK: Streams


def event(message: Any, *lines: str) -> bytes:
    """One event; text is put in as it is."""
    text = message if isinstance(message, str) else json.dumps(message)
    return "\n".join([*lines, f"data: {text}", "", ""]).encode()


def sse(*parts: bytes | float | Callable[[Request], bytes]) -> Behaviour:
    """A stream of these parts, then its end."""

    def answer(request: Request) -> Answer:
        yield head(200, STREAM)
        for part in parts:
            yield part(request) if callable(part) else part

    return answer


def answered(value: Any) -> Callable[[Request], bytes]:
    """The event with the result."""
    return lambda request: b"data: " + envelope(value)(request) + b"\n\n"


def flood(message: dict[str, Any], count: int = 0) -> Behaviour:
    """The same message as an event, so many times and then the answer; 0 for ever."""
    burst = event({"jsonrpc": "2.0"} | message)
    if not count:
        return endless(head(200, STREAM), burst * (KIBIBYTES_64 // len(burst)))
    return sse(burst * count, answered({"tools": [GOOD_TOOL]}))


# MARK: Whole services


def service(**said: Behaviour) -> Behaviour:
    """A good service of the revision 2025-11-25 but for what is said instead: by JSON-RPC method, or verb of HTTP.

    Names are written without the parts before the slash where that is clear: `discover`, `tools`, `resources`. `reply` is
    what it says to an answer of ours.
    """
    agreed = {"protocolVersion": "2025-11-25", "capabilities": LEGACY_CAPABILITIES, "serverInfo": SERVER_INFO}
    return _script(
        {
            "discover": error(-32601),
            "initialize": result(agreed),
            "initialized": page(status=202, type=None),
            "reply": page(status=202, type=None),
            "tools": tools(GOOD_TOOL),
            "GET": page(status=405),
            "DELETE": page(status=204, type=None),
        }
        | said
    )


def modern(**said: Behaviour) -> Behaviour:
    """A good service of the revision 2026-07-28 but for what is said instead."""
    return _script({"discover": discovery(), "tools": tools(GOOD_TOOL, resultType="complete")} | said)


def discovery(**changes: Any) -> Behaviour:
    offered = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, "serverInfo": SERVER_INFO}
    return result({"resultType": "complete"} | offered | changes)


def agreement(*fields: str, **changes: Any) -> Behaviour:
    agreed = {"protocolVersion": "2025-11-25", "capabilities": LEGACY_CAPABILITIES, "serverInfo": SERVER_INFO}
    return result(agreed | changes, ..., *fields)


def _script(said: dict[str, Behaviour]) -> Behaviour:
    methods = {
        "server/discover": "discover",
        "notifications/initialized": "initialized",
        "tools/list": "tools",
        "resources/list": "resources",
        "resources/read": "read",
        "": "reply",
    }

    def answer(request: Request) -> Answer:
        behaviour = said.get(methods.get(request.method, request.method))
        return behaviour(request) if behaviour else page(b"{}", 404)(request)

    return answer


def old_service(*parts: bytes | float | Callable[[Request], bytes], posts: Behaviour | None = None) -> Behaviour:
    """A service of HTTP+SSE: the stream has these parts. Messages to `/mcp` are refused, others answered by `posts`."""
    stream = sse(*parts)
    other = posts or page(b"Accepted", 202, "text/plain")

    def answer(request: Request) -> Answer:
        if request.verb == "GET":
            return stream(request)
        return page(CANARY.encode(), 405, "text/plain")(request) if request.path in ["/mcp", "/sse"] else other(request)

    return answer


def endpoint(uri: str | Callable[[Request], str]) -> Callable[[Request], bytes]:
    """The event that says where messages go."""
    return lambda request: event(uri(request) if callable(uri) else uri, "event: endpoint")


def redirect(location: Callable[[Request], str] | str | None, status: int = 307) -> Behaviour:
    def answer(request: Request) -> Answer:
        target = location(request) if callable(location) else location
        fields = [] if target is None else [f"Location: {target}"]
        return page(CANARY.encode(), status, "text/html", *fields)(request)

    return answer


def drip(start: bytes, letters: bytes, seconds: float = 1.0) -> Behaviour:
    """A byte at a time."""

    def answer(request: Request) -> Iterator[bytes | float]:
        yield start
        for letter in itertools.cycle(letters):
            yield bytes([letter])
            yield seconds

    return answer
