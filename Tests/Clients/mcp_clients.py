"""The MCP clients under test behind one face. What is installed decides which of them there are."""

import contextlib
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import mcp
from pydantic import AnyUrl

HAS_FASTMCP = importlib.util.find_spec("fastmcp") is not None
HAS_TWO_ERAS = hasattr(mcp, "Client")  # mcp 2.x: it probes for the newest revision, and can be told to shake hands
HAS_STREAMABLE_HTTP = importlib.util.find_spec("mcp.client.streamable_http") is not None

if HAS_FASTMCP:
    import fastmcp

if HAS_TWO_ERAS:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client
elif HAS_STREAMABLE_HTTP:
    from mcp.client.streamable_http import streamablehttp_client
else:
    from plain_transport import plain_client

LIBRARIES = (["fastmcp"] if HAS_FASTMCP else []) + ["mcp"]
CLIENTS = LIBRARIES + ([f"{library}_legacy" for library in LIBRARIES] if HAS_TWO_ERAS else [])


@dataclass(frozen=True)
class Reply:
    """The result of a tool call."""

    texts: list[str]
    value: Any
    is_error: bool


@dataclass(frozen=True)
class Session:
    """A connected client. Each method sends one request, or more where the client chooses to."""

    version: str | None
    """The revision of the protocol that was agreed on."""
    list: Callable[[], Awaitable[Any]]
    page: Callable[[], Awaitable[Any]]
    invoke: Callable[[str, dict[str, Any]], Awaitable[Any]]
    resources: Callable[[], Awaitable[Any]]
    fetch: Callable[[str], Awaitable[Any]]
    prompts: Callable[[], Awaitable[Any]]
    ping: Callable[[], Awaitable[Any]]

    async def tools(self) -> list[dict[str, Any]]:
        """The tools, each as the JSON it came as."""
        answer = await self.list()
        tools = getattr(answer, "tools", answer)
        return [as_json(tool) for tool in tools]

    async def call(self, tool: str, **arguments: Any) -> Reply:
        result = (await self.invoke(tool, arguments)).model_dump(mode="json", by_alias=True)
        structured = result.get("structuredContent")
        assert structured is None or list(structured) == ["result"], structured
        texts = [content["text"] for content in result["content"]]
        return Reply(texts, structured and structured["result"], bool(result.get("isError")))

    async def read(self, uri: str) -> list[dict[str, Any]]:
        """The contents of a resource."""
        return as_json(await self.fetch(uri))["contents"]


def as_json(model: Any) -> dict[str, Any]:
    """What an SDK parsed, as the JSON it came as."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


@contextlib.asynccontextmanager
async def connect(client: str, url: str, token: str | None) -> AsyncIterator[Session]:
    """Connects one of CLIENTS to a server, with a bearer token when there is one."""
    library, _, legacy = client.partition("_")
    mode = {"mode": "legacy"} if legacy else {}
    if library == "fastmcp":
        async with fastmcp.Client(url, auth=token, timeout=30, **mode) as session:
            yield from_fastmcp(session)
        return

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if HAS_TWO_ERAS:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            mcp.Client(streamable_http_client(url, http_client=http), **mode) as session,
        ):
            yield from_mcp(session, session.protocol_version, session.read_resource)
        return

    transport = streamablehttp_client if HAS_STREAMABLE_HTTP else plain_client
    async with (
        transport(url, headers=headers) as (reader, writer, *_),
        mcp.ClientSession(reader, writer) as session,
    ):
        version = (await session.initialize()).protocolVersion
        yield from_mcp(session, str(version), lambda uri: session.read_resource(AnyUrl(uri)))


def from_fastmcp(session: Any) -> Session:
    version = session.protocol_version if HAS_TWO_ERAS else session.initialize_result.protocolVersion
    return Session(
        version=version,
        list=session.list_tools,
        page=session.list_tools_mcp,
        invoke=session.call_tool_mcp,
        resources=session.list_resources_mcp,
        fetch=session.read_resource_mcp,
        prompts=session.list_prompts_mcp,
        ping=session.ping,
    )


def from_mcp(session: Any, version: str, fetch: Callable[[str], Awaitable[Any]]) -> Session:
    return Session(
        version=version,
        list=session.list_tools,
        page=session.list_tools,
        invoke=session.call_tool,
        resources=session.list_resources,
        fetch=fetch,
        prompts=session.list_prompts,
        ping=session.send_ping,
    )
