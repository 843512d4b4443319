"""Servers of fastmcp 2 and 4."""

from typing import Any

import fastmcp
from fastmcp import FastMCP

from offer import RESOURCES, TOOLS
from pages import PAGE

HAS_PAGES = int(fastmcp.__version__.split(".")[0]) >= 3

if HAS_PAGES:
    from mcp_2 import paginate
else:
    from mcp_1 import paginate


async def build(variant: dict[str, Any]) -> tuple[Any, list[Any]]:
    """The ASGI application, and the tools as the SDK describes them."""
    pages = {"list_page_size": PAGE} if HAS_PAGES and variant["cursors"] == "opaque" else {}
    server = FastMCP("interop", **pages)
    for tool in TOOLS:
        server.tool(tool)
    for resource in RESOURCES:
        server.resource(f"resource://{resource.__name__}", name=resource.__name__)(resource)
    listed = await server.list_tools() if HAS_PAGES else (await server.get_tools()).values()
    tools = [tool.to_mcp_tool(name=tool.name) for tool in listed]
    if variant["cursors"] and not pages:
        paginate(server._mcp_server, variant["cursors"])
    if variant["transport"] == "sse":
        return server.http_app(path=variant["path"], transport="sse"), tools
    application = server.http_app(
        path=variant["path"], json_response=variant["json"], stateless_http=not variant["stateful"]
    )
    return application, tools
