"""The MCP clients under test behind one face. What is installed decides which of them there are."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import fastmcp
import mcp

HAS_TWO_ERAS = hasattr(mcp, "Client")  # mcp 2.x: it probes for the newest revision, and can be told to shake hands

if HAS_TWO_ERAS:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client
else:
    from mcp.client.streamable_http import streamablehttp_client

CLIENTS = ["fastmcp", "mcp"] + (["fastmcp_legacy", "mcp_legacy"] if HAS_TWO_ERAS else [])


@dataclass(frozen=True)
class Reply:
    """The result of a tool call."""

    texts: list[str]
    value: Any
    is_error: bool


@dataclass(frozen=True)
class Session:
    """A connected client."""

    list: Callable[[], Awaitable[Any]]
    invoke: Callable[[str, dict[str, Any]], Awaitable[Any]]

    async def tools(self) -> list[dict[str, Any]]:
        """The tools, each as the JSON it came as."""
        answer = await self.list()
        tools = getattr(answer, "tools", answer)
        return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]

    async def call(self, tool: str, **arguments: Any) -> Reply:
        result = (await self.invoke(tool, arguments)).model_dump(mode="json", by_alias=True)
        structured = result.get("structuredContent")
        assert structured is None or list(structured) == ["result"], structured
        texts = [content["text"] for content in result["content"]]
        return Reply(texts, structured and structured["result"], bool(result.get("isError")))


@contextlib.asynccontextmanager
async def connect(client: str, url: str, token: str | None) -> AsyncIterator[Session]:
    """Connects one of CLIENTS to a server, with a bearer token when there is one."""
    library, _, legacy = client.partition("_")
    mode = {"mode": "legacy"} if legacy else {}
    if library == "fastmcp":
        async with fastmcp.Client(url, auth=token, timeout=30, **mode) as session:
            yield Session(session.list_tools, session.call_tool_mcp)
        return

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if HAS_TWO_ERAS:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            mcp.Client(streamable_http_client(url, http_client=http), **mode) as session,
        ):
            yield Session(session.list_tools, session.call_tool)
    else:
        async with (
            streamablehttp_client(url, headers=headers) as (reader, writer, _),
            mcp.ClientSession(reader, writer) as session,
        ):
            await session.initialize()
            yield Session(session.list_tools, session.call_tool)
