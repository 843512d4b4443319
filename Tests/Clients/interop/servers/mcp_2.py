"""Servers of mcp 2: its MCPServer. fastmcp 4 has the same core, and shares the paging."""

from typing import Any

from mcp import types
from mcp.server import MCPServer

from offer import RESOURCES, TOOLS
from pages import page


def paginate(core: Any, cursors: str) -> None:
    """Lets the core of a server give its lists in pages."""
    for method, name in [("tools/list", "tools"), ("resources/list", "resources")]:

        async def paged(
            context: Any, params: Any, whole: Any = core.get_request_handler(method).handler, name: str = name
        ) -> Any:
            result = await whole(context, types.PaginatedRequestParams())
            items, following = page(getattr(result, name), params.cursor if params else None, cursors)
            return type(result)(**{name: items, "next_cursor": following})

        core.add_request_handler(method, types.PaginatedRequestParams, paged)


async def build(variant: dict[str, Any]) -> tuple[Any, list[Any]]:
    """The ASGI application, and the tools as the SDK describes them."""
    server = MCPServer("interop", log_level="WARNING")
    for tool in TOOLS:
        server.tool()(tool)
    for resource in RESOURCES:
        server.resource(f"resource://{resource.__name__}", name=resource.__name__)(resource)
    tools = await server.list_tools()
    if variant["cursors"]:
        paginate(server._lowlevel_server, variant["cursors"])
    if variant["transport"] == "sse":
        return server.sse_app(sse_path=variant["path"]), tools
    application = server.streamable_http_app(
        streamable_http_path=variant["path"], json_response=variant["json"], stateless_http=not variant["stateful"]
    )
    return application, tools
