"""Streamable HTTP for mcp 1.6, which came before it: the least that carries its messages, by one POST for each."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
from mcp import types

TIMEOUT_SECONDS = 30


@contextlib.asynccontextmanager
async def plain_client(url: str, headers: dict[str, str]) -> AsyncIterator[tuple[Any, Any]]:
    """The two streams that a `ClientSession` wants. A POST that fails answers its request with the HTTP error."""
    incoming_writer, incoming = anyio.create_memory_object_stream[Any](0)
    outgoing, outgoing_reader = anyio.create_memory_object_stream[Any](0)

    async def post(http: httpx.AsyncClient, message: types.JSONRPCMessage) -> None:
        try:
            answer = await http.post(url, json=message.model_dump(by_alias=True, mode="json", exclude_none=True))
            answer.raise_for_status()
            reply = types.JSONRPCMessage.model_validate_json(answer.content) if answer.content else None
        except (httpx.HTTPError, ValueError) as error:
            if not isinstance(message.root, types.JSONRPCRequest):
                raise
            reason = types.ErrorData(code=types.INTERNAL_ERROR, message=str(error))
            reply = types.JSONRPCMessage(types.JSONRPCError(jsonrpc="2.0", id=message.root.id, error=reason))
        if reply:
            await incoming_writer.send(reply)

    async def carry(http: httpx.AsyncClient) -> None:
        async for message in outgoing_reader:
            posts.start_soon(post, http, message)

    # This is what the transports of later releases send.
    headers = headers | {"Accept": "application/json, text/event-stream"}
    async with (
        httpx.AsyncClient(headers=headers, timeout=TIMEOUT_SECONDS) as http,
        incoming_writer,
        outgoing_reader,
        anyio.create_task_group() as posts,
    ):
        posts.start_soon(carry, http)
        yield incoming, outgoing
        posts.cancel_scope.cancel()
