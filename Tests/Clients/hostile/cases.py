"""What the tables of cases are made of: a case is a line that says what a service does and how that must end."""

from dataclasses import dataclass
from typing import Any

from answers import CANARY, GOOD_TOOL, KIBIBYTES_64, event, page, properties, service, tool, tools
from servers import Behaviour

# What a reason must say, loosely.
SLOW = r"within \d+(\.\d+)? seconds"
LARGE = r"larger than|too large|more than \d+ values|more than 64 KiB of headers"
NOT_MCP = r"does not answer as an MCP service|not JSON-RPC|not valid JSON"
UNREACHED = r"could not be reached|connection"
BROKEN = r"could not be read|broke off|not valid HTTP|does not speak HTTP|could not be reached"
TLS = r"TLS|certificate|secure|could not be reached"
EARLY = r"ended its answer early|could not be read"
REDIRECTS = r"redirect"
VERSION = r"no version of MCP"
CURSOR = r"cursor"
FLOODED = rf"{LARGE}|{SLOW}|too many|more than \d+ tools"
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
    """Ends by the deadline only, or after retries; such cases wait together."""
    return Case(name, behaviour, reason=reason, slow=True, **more)


def again(name: str, reason: str, behaviour: Behaviour, **more: Any) -> Case:
    """Is refused after more than one try."""
    return slow(name, behaviour, reason, **more)


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
