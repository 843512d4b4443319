"""What stands before a server: a gateway that knows one era only, and a recorder of every exchange."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TextIO

MODERN = b"2026-07-28"

Application = Callable[[Any, Any, Any], Awaitable[None]]


def header(headers: Any, name: bytes) -> str | None:
    """A header of a message, as text."""
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), None)


def gateway(application: Application, eras: str) -> Application:
    """Refuses the other era, as services do that know one: with an error of that era."""

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        modern = scope["type"] == "http" and header(scope["headers"], b"mcp-protocol-version") == MODERN.decode()
        if scope["type"] != "http" or modern == (eras == "modern"):
            await application(scope, receive, send)
            return
        error = {"code": -32022, "message": "too old", "data": {"supported": [MODERN.decode()], "requested": ""}}
        if eras == "legacy":
            error = {"code": -32600, "message": "Bad Request: Unsupported protocol version"}
        body = json.dumps({"jsonrpc": "2.0", "id": "server-error", "error": error}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return guarded


def recorder(application: Application, variant: str, log: TextIO) -> Application:
    """Writes one line of JSON when an exchange begins to be answered, and one when the client is known to have left."""

    async def recorded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        body = b""
        entry: dict[str, Any] = {
            "variant": variant,
            "method": scope["method"],
            "path": scope["path"],
            "session": header(scope["headers"], b"mcp-session-id"),
            "version": header(scope["headers"], b"mcp-protocol-version"),
        }

        def write(event: str) -> None:
            log.write(json.dumps({"event": event} | entry) + "\n")
            log.flush()

        async def receiving() -> Any:
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            if message["type"] == "http.disconnect":
                write("left")
            return message

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start" and "status" not in entry:  # some SDKs start twice
                try:
                    sent = json.loads(body or b"{}")
                except ValueError:
                    sent = {}
                entry.update(
                    rpc=sent.get("method"),
                    params=sent.get("params"),
                    status=message["status"],
                    type=(header(message["headers"], b"content-type") or "").split(";")[0],
                    given=header(message["headers"], b"mcp-session-id"),
                )
                write("answered")
            await send(message)

        await application(scope, receiving, sending)

    return recorded
