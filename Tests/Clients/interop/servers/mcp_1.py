"""Servers of mcp 1: its FastMCP. fastmcp 2 has the same core, and shares the paging."""

from typing import Any

from mcp import types
from mcp.server.fastmcp import FastMCP

from offer import RESOURCES, TOOLS
from pages import page


def paginate(core: Any, cursors: str) -> None:
    """Lets the core of a server give its lists in pages. The decorators of these SDKs know no cursors."""
    for kind, name in [(types.ListToolsRequest, "tools"), (types.ListResourcesRequest, "resources")]:

        async def paged(request: Any, whole: Any = core.request_handlers[kind], name: str = name) -> Any:
            result = (await whole(request)).root
            items, following = page(getattr(result, name), getattr(request.params, "cursor", None), cursors)
            return types.ServerResult(type(result)(**{name: items, "nextCursor": following}))

        core.request_handlers[kind] = paged


async def build(variant: dict[str, Any]) -> tuple[Any, list[Any]]:
    """The ASGI application, and the tools as the SDK describes them."""
    settings = {"sse_path": variant["path"]}
    if variant["transport"] == "http":
        settings = {"streamable_http_path": variant["path"], "json_response": variant["json"]}
        settings["stateless_http"] = not variant["stateful"]
    server = FastMCP("interop", log_level="WARNING", **settings)
    for tool in TOOLS:
        server.tool()(tool)
    for resource in RESOURCES:
        server.resource(f"resource://{resource.__name__}", name=resource.__name__)(resource)
    tools = await server.list_tools()
    if variant["cursors"]:
        paginate(server._mcp_server, variant["cursors"])
    return server.sse_app() if variant["transport"] == "sse" else server.streamable_http_app(), tools
