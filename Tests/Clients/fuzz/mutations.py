"""Makes requests to /mcp that are almost right: each from a number, so that any of them can be made again."""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vocabulary import (
    DEAD,
    ENDPOINTS,
    FIELDS,
    INSERTS,
    LEGACY,
    LENGTHS,
    META,
    METHODS,
    MODERN,
    PATHS,
    ROLES,
    SCALARS,
    SERVICES,
    TEXTS,
    TOKENS,
    USERS,
    VERBS,
    VERSIONS,
)


@dataclass
class Fuzzed:
    """A request as bytes, and what its sender must know to read the answer."""

    data: bytes
    # Whether its framing is broken or ends the connection, so that nothing can follow it.
    is_alone: bool
    is_head: bool = False


@dataclass
class Draft:
    """A request before it is written down."""

    message: Any
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    verb: bytes = b"POST"
    path: bytes = b"/mcp"


class Generator:
    """Makes the request of a number. The same seed, number and tools always make the same request."""

    def __init__(self, seed: int, authority: str, tools: list[dict[str, Any]], service: str) -> None:
        self.seed = seed
        self.authority = authority.encode()
        self.tools = tools
        self.service = service
        self.random = random.Random()

    def request(self, number: int) -> Fuzzed:
        """The request of a number."""
        dice = self.random
        dice.seed(self.seed << 40 | number)
        draft = self._draft()
        raw: list[bytes] = []
        for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3, 5))):
            dice.choice(MUTATIONS)(self, draft, raw)
        body = self._written(draft.message, raw)
        if dice.random() < 0.04:
            body = self._damaged(body)
        if dice.random() < 0.001:
            body = self._enlarged(body)
        return self._framed(draft, body)

    # What a request is before anything is wrong with it.

    def _draft(self) -> Draft:
        dice = self.random
        kind = dice.random()
        message = self._message()
        if kind < 0.06:
            batch = [message] + [self._message() for _ in range(dice.choice((0, 1, 1, 2, 2, 3, 3, 4, 19, 20)))]
            return Draft(batch, self._fields(dice.choice([None, "2025-03-26", "2025-06-18"])))
        if kind < 0.5:
            return Draft(message, self._fields(dice.choice([None, *LEGACY])))
        params = message.get("params")
        if not isinstance(params, dict):
            params = message["params"] = {}
        params["_meta"] = self._meta()
        return Draft(message, self._fields(MODERN) + self._mirrored(message))

    def _message(self) -> dict[str, Any]:
        dice = self.random
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": dice.choice((0, 1, "", "x", 2**53, -7))}
        if dice.random() < 0.55:
            tool = dice.choice(self.tools)
            message |= {"method": "tools/call", "params": {"name": tool["name"], "arguments": self._arguments(tool)}}
            return message
        method = dice.choice(METHODS)
        message["method"] = method
        if dice.random() < 0.8:
            message["params"] = {
                "initialize": {"protocolVersion": dice.choice(VERSIONS), "capabilities": {}, "clientInfo": {}},
                "resources/read": {"uri": dice.choice(TEXTS)},
                "prompts/get": {"name": dice.choice(TEXTS)},
            }.get(method, {})
            message["params"] = dict(message["params"])
        if method.startswith("notifications/") or dice.random() < 0.03:
            del message["id"]
        return message

    def _arguments(self, tool: dict[str, Any]) -> dict[str, Any]:
        schema = tool["inputSchema"]
        required = schema.get("required", [])
        return {
            name: self._argument(name, parameter)
            for name, parameter in schema.get("properties", {}).items()
            if name in required or self.random.random() < 0.4
        }

    def _argument(self, name: str, parameter: dict[str, Any]) -> Any:
        dice = self.random
        if name == "endpoint":
            # Asking a service takes long, and asking in vain longer, so it is done seldom.
            chance = dice.random()
            return DEAD if chance < 0.003 else self.service if chance < 0.05 else dice.choice(ENDPOINTS)
        if dice.random() < 0.15:
            return dice.choice(TEXTS)
        pools: dict[str, list[Any]] = {
            "role_name": ROLES,
            "role": ROLES,
            "user_id": USERS,
            "service_name": SERVICES,
            "method_authorization": ["", "Basic", "Bearer", "basic"],
            "tool_name": ["order", "price"],
            "query": ["pizza", "a", "order price", "%"],
        }
        if name in pools:
            return dice.choice(pools[name])
        match parameter.get("type"):
            case "boolean":
                return dice.random() < 0.5
            case "integer":
                return dice.choice((1, 2, 3, 0, -1, 2**31))
        return dice.choice(TEXTS)

    def _meta(self) -> dict[str, Any]:
        return {
            META + "protocolVersion": MODERN,
            META + "clientCapabilities": {},
            META + "clientInfo": {"name": "fuzz", "version": "1"},
        }

    def _fields(self, version: str | None) -> list[tuple[bytes, bytes]]:
        fields = [
            (b"Host", self.authority),
            (b"Accept", b"application/json, text/event-stream"),
            (b"Content-Type", b"application/json"),
        ]
        return fields + ([(b"MCP-Protocol-Version", version.encode())] if version else [])

    def _mirrored(self, message: dict[str, Any]) -> list[tuple[bytes, bytes]]:
        fields = [(b"Mcp-Method", message["method"].encode())]
        params = message["params"]
        name = params.get("name", params.get("uri"))
        if isinstance(name, str):
            value = name.encode()
            if any(byte < 0x21 or byte > 0x7E for byte in value) or value.startswith(b"=?"):
                value = b"=?base64?" + base64.b64encode(value) + b"?="
            fields.append((b"Mcp-Name", value))
        return fields

    # What goes wrong.

    def _value(self, raw: list[bytes]) -> Any:
        dice = self.random
        match dice.randrange(7):
            case 0 | 1:
                return dice.choice(SCALARS)
            case 2 | 3:
                return dice.choice(TEXTS)
            case 4:
                return dice.choice(([], {}, [1], [[]], {"a": {}}, {"": None}, ["x"] * 50))
            case 5:
                return {f"key{number}": number for number in range(dice.choice((5, 5, 30, 300)))}
            case _:
                raw.append(dice.choice(TOKENS))
                return f"@@raw{len(raw) - 1}@@"

    def _place(self, value: Any) -> tuple[Any, Any] | None:
        """An object or array inside a message, and one of its keys or indices."""
        places: list[tuple[Any, Any]] = []
        stack = [value]
        while stack and len(places) < 100:
            node = stack.pop()
            keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
            for key in keys:
                # An endpoint is only ever one of those above.
                if key != "endpoint":
                    places.append((node, key))
                    stack.append(node[key])
        return self.random.choice(places) if places else None

    def _replace(self, draft: Draft, raw: list[bytes]) -> None:
        if place := self._place(draft.message):
            place[0][place[1]] = self._value(raw)

    def _delete(self, draft: Draft, raw: list[bytes]) -> None:
        if place := self._place(draft.message):
            del place[0][place[1]]

    def _add(self, draft: Draft, raw: list[bytes]) -> None:
        keys = ["id", "params", "method", "result", "error", "jsonrpc", "_meta", "task", "cursor", "arguments", "name"]
        if (place := self._place(draft.message)) and isinstance(place[0], dict):
            place[0][self.random.choice(keys + TEXTS[:12])] = self._value(raw)

    def _swallow(self, draft: Draft, raw: list[bytes]) -> None:
        draft.message = self.random.choice((lambda m: [m], lambda m: {"a": m}, lambda m: [m] * 21, lambda m: None))(
            draft.message
        )

    def _change_version(self, draft: Draft, raw: list[bytes]) -> None:
        params = draft.message.get("params") if isinstance(draft.message, dict) else None
        if isinstance(params, dict):
            params["_meta"] = self._meta() | {META + "protocolVersion": self.random.choice(VERSIONS)}

    def _drop_field(self, draft: Draft, raw: list[bytes]) -> None:
        if draft.fields:
            draft.fields.pop(self.random.randrange(len(draft.fields)))

    def _repeat_field(self, draft: Draft, raw: list[bytes]) -> None:
        if draft.fields:
            draft.fields.append(self.random.choice(draft.fields))

    def _set_field(self, draft: Draft, raw: list[bytes]) -> None:
        name, values = self.random.choice(FIELDS)
        if self.random.random() < 0.7:
            draft.fields = [pair for pair in draft.fields if pair[0] != name]
        draft.fields.append((self.random.choice((name, name.lower(), name.upper())), self.random.choice(values)))

    def _blank_field(self, draft: Draft, raw: list[bytes]) -> None:
        if draft.fields:
            at = self.random.randrange(len(draft.fields))
            name, value = draft.fields[at]
            form = self.random.choice((b"  @", b"@\t ", b"@,", b"\t@;", b'"@"', b"@ @"))
            draft.fields[at] = (name, form.replace(b"@", value))

    def _change_verb(self, draft: Draft, raw: list[bytes]) -> None:
        if self.random.random() < 0.3:
            draft.verb = self.random.choice(VERBS)

    def _change_path(self, draft: Draft, raw: list[bytes]) -> None:
        if self.random.random() < 0.3:
            draft.path = self.random.choice(PATHS)

    def _written(self, message: Any, raw: list[bytes]) -> bytes:
        body = json.dumps(message, ensure_ascii=self.random.random() < 0.5).encode(errors="surrogatepass")
        for number, token in enumerate(raw):
            body = body.replace(b'"@@raw%d@@"' % number, token)
        if self.random.random() < 0.02:
            body = body.replace(b"{", b'{"id":7,' if self.random.random() < 0.5 else b'{"method":"ping",', 1)
        return body

    def _enlarged(self, body: bytes) -> bytes:
        """Around the limit of 1 MiB, or large for a parser."""
        dice = self.random
        size = dice.choice((100_000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 1_500_000))
        filler = dice.choice((b" ", b"[", b'{"a":', b"\x00", b'"', b"1", b"[1],", b'"\\u00e9",'))
        return dice.choice((body.ljust(size), filler * (size // len(filler)), body + b" " * size + b"x"))

    def _damaged(self, data: bytes) -> bytes:
        """Bytes flipped, cut, repeated, inserted; never in a way that could make up another endpoint."""
        if b"endpoint" in data:
            return data
        dice = self.random
        damaged = bytearray(data)
        for _ in range(dice.choice((1, 1, 2, 4, 16))):
            at = dice.randrange(len(damaged) + 1)
            end = min(len(damaged), at + dice.choice((1, 1, 2, 8, 64)))
            match dice.randrange(6):
                case 0 if at < len(damaged):
                    damaged[at] ^= 1 << dice.randrange(8)
                case 1 if at < len(damaged):
                    damaged[at] = dice.choice(b'\x00\xff\r\n:;,{}[]"\\ 0')
                case 2:
                    del damaged[at:end]
                case 3:
                    damaged[at:at] = damaged[at:end] * dice.choice((1, 3, 50))
                case 4:
                    damaged[at:at] = dice.choice(INSERTS)
                case 5:
                    del damaged[at:]
        return bytes(damaged)

    # How it is sent.

    def _framed(self, draft: Draft, body: bytes) -> Fuzzed:
        dice = self.random
        is_alone = False
        fields = draft.fields
        if dice.random() < 0.05:
            parts = [body[at : at + 97] for at in range(0, len(body), 97)]
            fields = [*fields, (b"Transfer-Encoding", b"chunked")]
            body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        else:
            fields = [*fields, (b"Content-Length", b"%d" % len(body))]
        version = b"HTTP/1.1"
        chance = dice.random()
        if chance < 0.01:
            fields.append((b"Connection", dice.choice((b"close", b"Upgrade", b"keep-alive, x"))))
            is_alone = True
        elif chance < 0.015:
            version, is_alone = dice.choice((b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"")), True
        elif chance < 0.025:
            fields.append((b"Content-Length", dice.choice((*LENGTHS, b"%d" % (len(body) + 5)))))
            is_alone = True
        elif chance < 0.027:
            fields.append((dice.choice((b"a b", b"", b"\xff", b"a:b", b" a")), b"x"))
            is_alone = True
        head = draft.verb + b" " + draft.path + b" " + version + b"\r\n"
        data = head + b"".join(name + b": " + value + b"\r\n" for name, value in fields) + b"\r\n" + body
        if dice.random() < 0.04:
            damaged = self._damaged(data)
            is_alone = is_alone or damaged != data
            data = damaged
        is_alone = is_alone or len(data) > 40_000 
        return Fuzzed(data, is_alone, draft.verb == b"HEAD")


Mutation = Callable[[Generator, Draft, list[bytes]], None]
MUTATIONS: list[Mutation] = [
    *[Generator._replace] * 5,
    *[Generator._delete] * 2,
    *[Generator._add] * 2,
    *[Generator._set_field] * 4,
    Generator._swallow,
    Generator._change_version,
    Generator._drop_field,
    Generator._repeat_field,
    Generator._blank_field,
    Generator._change_verb,
    Generator._change_path,
]
