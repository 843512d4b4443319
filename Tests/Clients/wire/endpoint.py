"""Sends requests to the MCP endpoint as they are written, and checks every answer before a test sees it."""

import http.client
import json
import socket
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import specification
from registry import Registry
from specification import ASSUMED_LEGACY, LEGACY, META, MODERN, NEWEST_LEGACY

VERSION_KEY = META + "protocolVersion"
CAPABILITIES_KEY = META + "clientCapabilities"
CLIENT_KEY = META + "clientInfo"
MIRRORED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}

# The steps before a message is understood: their answers name no id.
REFUSALS = {401, 403, 405, 406, 413, 415}

# Header fields to add or replace; None leaves one out, a list repeats it.
Fields = dict[str, str | list[str] | None]

ABSENT: Any = object()


def call(method: Any, params: Any = ABSENT, id: Any = 1) -> dict[str, Any]:
    """A JSON-RPC request; without an id it is a notification."""
    message = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
    return {key: value for key, value in message.items() if value is not ABSENT}


def meta(version: Any = MODERN, **more: Any) -> dict[str, Any]:
    """What 2026-07-28 wants in the `_meta` of each request."""
    return {VERSION_KEY: version, CAPABILITIES_KEY: {}, CLIENT_KEY: {"name": "wire", "version": "1"}} | more


def modern_call(method: str, params: dict[str, Any] | None = None, id: Any = 1) -> dict[str, Any]:
    """A request of 2026-07-28."""
    return call(method, {"_meta": meta()} | (params or {}), id)


def modern_fields(message: dict[str, Any]) -> Fields:
    """The header fields that go with a request of 2026-07-28."""
    params = message["params"]
    fields: Fields = {"MCP-Protocol-Version": params["_meta"][VERSION_KEY], "Mcp-Method": message["method"]}
    name = params.get(MIRRORED.get(message["method"], ""))
    return fields | ({"Mcp-Name": name} if isinstance(name, str) else {})


def spoken_version(fields: Fields, message: Any) -> str:
    """The revision whose rules an answer must follow: the table of eras once more."""
    if not isinstance(message, dict):
        return NEWEST_LEGACY
    header = next((value for name, value in fields.items() if name.lower() == "mcp-protocol-version"), None)
    header = header.strip() if isinstance(header, str) else header
    params = message.get("params")
    own = params.get("_meta") if isinstance(params, dict) else None
    stated = own.get(VERSION_KEY, ABSENT) if isinstance(own, dict) else ABSENT
    if stated is ABSENT:
        return ASSUMED_LEGACY if header is None else header if header in LEGACY else MODERN
    return stated if stated in LEGACY and header in (None, stated) else MODERN


@dataclass(frozen=True)
class Reply:
    """A checked answer."""

    status: int
    headers: http.client.HTTPMessage
    text: str
    message: Any = None

    @property
    def result(self) -> dict[str, Any]:
        assert "result" in self.message, self
        return self.message["result"]

    @property
    def error(self) -> dict[str, Any]:
        assert "error" in self.message, self
        return self.message["error"]

    @property
    def outcome(self) -> tuple[int, int | None]:
        """The HTTP status, and the code of the error or None."""
        failed = isinstance(self.message, dict) and "error" in self.message
        return self.status, self.message["error"]["code"] if failed else None


class Endpoint:
    """The MCP endpoint of a running registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        address = urlsplit(registry.url)
        self.host, self.port = address.hostname or "", address.port or 0
        self.local = threading.local()
        self.tools: dict[str, Any] = {}
        self.tools = {tool["name"]: tool for tool in self.modern("tools/list").result["tools"]}

    @property
    def authority(self) -> str:
        return f"{self.host}:{self.port}"

    def legacy(self, method: str, params: Any = ABSENT, version: str | None = None, id: Any = 1) -> Reply:
        """A request of the era of handshakes, its version in the header or nowhere."""
        return self.send(call(method, params, id), **({"MCP-Protocol-Version": version} if version else {}))

    def modern(self, method: str, params: dict[str, Any] | None = None, id: Any = 1, **fields: Any) -> Reply:
        """A request of 2026-07-28 with all that belongs to it."""
        message = modern_call(method, params, id)
        return self.send(message, **(modern_fields(message) | fields))

    def tool(self, name: str, **arguments: Any) -> dict[str, Any]:
        """The result of a tool."""
        return self.modern("tools/call", {"name": name, "arguments": arguments}).result

    def done(self, name: str, **arguments: Any) -> Any:
        """The value of a tool that is expected to succeed."""
        result = self.tool(name, **arguments)
        assert not result["isError"], result
        return result["structuredContent"]["result"]

    def send(
        self, body: Any, *, verb: str = "POST", path: str = "/mcp", means: Any = ABSENT, **fields: Any
    ) -> Reply:
        """Sends a body, anything but bytes and None as JSON, and checks what comes back.

        `fields` are added to what every client sends, or replace it. `means` is the message that the body stands for,
        when that can't be seen from its bytes.
        """
        message = means if means is not ABSENT else readable(body) if isinstance(body, bytes) else body
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        standard: Fields = {
            "Host": self.authority,
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            "Content-Length": None if body is None else str(len(body)),
            **self.registry.authorization(),
        }
        replaced = {name.lower() for name in fields}
        sent: Fields = {name: value for name, value in standard.items() if name.lower() not in replaced} | fields
        reply = self._exchange(verb, path, sent, body)
        if path.split("?")[0] in ("/mcp", "/mcp/"):
            return self._checked(reply, verb, sent, message)
        return reply

    def _exchange(self, verb: str, path: str, fields: Fields, body: bytes | None) -> Reply:
        """Each thread keeps its connection, as clients do; one that the server has closed meanwhile is made again."""
        kept: http.client.HTTPConnection | None = getattr(self.local, "connection", None)
        self.local.connection = None
        connection = kept or http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            response = self._response(connection, verb, path, fields, body)
        except (http.client.RemoteDisconnected, ConnectionError):
            connection.close()
            if not kept:
                raise
            return self._exchange(verb, path, fields, body)
        reply = Reply(response.status, response.headers, response.read().decode())
        if response.will_close or reply.status == 413:
            connection.close()
        else:
            self.local.connection = connection
        return reply

    @staticmethod
    def _response(
        connection: http.client.HTTPConnection, verb: str, path: str, fields: Fields, body: bytes | None
    ) -> http.client.HTTPResponse:
        connection.putrequest(verb, path, skip_host=True, skip_accept_encoding=True)
        for name, value in fields.items():
            for one in value if isinstance(value, list) else [value] if value is not None else []:
                connection.putheader(name, one)
        try:
            connection.endheaders(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # Refused before the end of the body; the answer is there all the same.
        return connection.getresponse()

    def _checked(self, reply: Reply, verb: str, fields: Fields, message: Any) -> Reply:
        assert reply.status in {200, 202, 400, 404} | REFUSALS, reply
        assert reply.headers["Mcp-Session-Id"] is None
        assert reply.headers["Location"] is None
        assert reply.headers["Cache-Control"] == "no-store", reply
        if verb == "HEAD" or reply.status == 202:
            assert reply.text == ""
            return reply
        kind = reply.headers.get_content_type()
        assert kind in ("application/json", "text/event-stream"), reply
        text = reply.text if kind == "application/json" else only_event(reply)
        parsed = specification.parse(text)
        assert "\n" not in text, "compact JSON on one line"
        if isinstance(parsed, list):
            assert isinstance(message, list), f"a batch for a single message: {reply}"
            self._check_batch(parsed, message)
        elif is_refusal(reply) or not isinstance(message, dict) or is_parse_error(parsed):
            assert "id" not in parsed, parsed
            specification.check_message(NEWEST_LEGACY, None, parsed)
        else:
            self._check_one(parsed, message, spoken_version(fields, message))
        return Reply(reply.status, reply.headers, reply.text, parsed)

    def _check_batch(self, answers: list[Any], messages: list[Any]) -> None:
        assert answers, "an empty array is no answer"
        specification.check(ASSUMED_LEGACY, "JSONRPCBatchResponse", [a for a in answers if "id" in a])
        expecting = [m for m in messages if not is_silent(m)]
        assert len(answers) == len(expecting)
        for answer, message in zip(answers, expecting, strict=True):
            self._check_one(answer, message, spoken_version({}, message))

    def _check_one(self, answer: Any, message: Any, version: str) -> None:
        asked = message if isinstance(message, dict) else {}
        if asked.get("method") == "initialize" and "result" in answer:
            version = answer["result"]["protocolVersion"]
            assert version in LEGACY
        method = asked.get("method")
        specification.check_message(version, method if isinstance(method, str) else None, answer)
        if is_id(asked.get("id")) and not is_response(asked):
            assert (answer.get("id"), type(answer.get("id"))) == (asked["id"], type(asked["id"])), answer
        else:
            assert "id" not in answer, answer
        if method == "tools/call" and "result" in answer and self.tools:
            specification.check_structured_content(self.tools[asked["params"]["name"]], answer["result"])


def is_refusal(reply: Reply) -> bool:
    """Whether a request was refused before its message was read."""
    return reply.status in REFUSALS or reply.headers["WWW-Authenticate"] is not None


def is_parse_error(message: Any) -> bool:
    """Whether nothing of the request was understood."""
    return isinstance(message, dict) and message.get("error", {}).get("code") == -32700


def is_id(value: Any) -> bool:
    """Whether a value is an id: a text or an integer. Integers beyond 64 bits may be refused, and then have no echo."""
    return isinstance(value, str) or type(value) is int and -(2**63) <= value < 2**63


def is_response(message: dict[str, Any]) -> bool:
    """Whether a message claims to answer something; its id is none of the client's own."""
    return "method" not in message and ("result" in message or "error" in message)


def readable(body: bytes) -> Any:
    """What a body says, or None when it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def is_silent(message: Any) -> bool:
    """Whether a message of a batch gets no answer: a notification or a response."""
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return False
    if isinstance(message.get("method"), str):
        return "id" not in message and isinstance(message.get("params", {}), dict)
    return is_response(message)


def only_event(reply: Reply) -> str:
    """The data of a stream that holds one `message` event and ends."""
    assert reply.headers["X-Accel-Buffering"] == "no"
    lines = reply.text.split("\r\n")
    assert lines[0] == "event: message" and lines[1].startswith("data: ") and lines[2:] == ["", ""], reply
    return lines[1].removeprefix("data: ")


def raw_exchange(endpoint: Endpoint, data: bytes) -> bytes:
    """What the server says to bytes that need not be HTTP, until it closes; the sender has nothing to add."""
    with socket.create_connection((endpoint.host, endpoint.port), timeout=30) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(1 << 16):
            received += chunk
        return received
