"""Serves one SDK's MCP in many ways at once, each on a port of its own, until it is killed.

    python serve.py VARIANTS LOG

VARIANTS is a JSON list of objects with the fields of `Variant` in ../matrix.py. Every exchange with any of the servers
is written to the file LOG. When all servers listen, it prints one line: for each variant its address, and its tools as
the SDK describes them, as JSON.
"""

import asyncio
import json
import logging
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from asgi import gateway, recorder


def mounted(application: Any, folder: str) -> Starlette:
    """An application in a folder of another one. Starlette redirects from the folder's name to its content."""
    return Starlette(
        routes=[Mount(folder, app=application)], lifespan=lambda _: application.router.lifespan_context(application)
    )


def log_plainly() -> None:
    """Replaces handlers that draw tracebacks: mcp 1.16 logs one for each stateless request, and drawing it is slow."""
    for logger in [logging.root, *map(logging.getLogger, logging.root.manager.loggerDict)]:
        for handler in list(logger.handlers):
            if type(handler).__name__ == "RichHandler":
                logger.removeHandler(handler)
                logger.addHandler(logging.StreamHandler())


async def serve(variants: list[dict[str, Any]], log_path: str) -> None:
    core = "mcp_2" if int(version("mcp").split(".")[0]) >= 2 else "mcp_1"
    ready: dict[str, Any] = {}
    running = []
    with open(log_path, "a", encoding="utf-8") as log:
        for variant in variants:
            name = f"{variant['library']}-{variant['name']}"
            kit = import_module("fastmcp_any" if variant["library"] == "fastmcp" else core)
            application, tools = await kit.build(variant)
            if variant["mount"]:
                application = mounted(application, variant["mount"])
            if variant["eras"]:
                application = gateway(application, variant["eras"])
            application = recorder(application, name, log)
            server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=0, log_level="warning"))
            running.append(asyncio.create_task(server.serve()))
            while not server.started:
                assert not running[-1].done(), f"{name} did not start"
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            described = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
            ready[name] = {"address": f"http://127.0.0.1:{port}", "tools": described}
        log_plainly()
        print(json.dumps(ready), flush=True)
        await asyncio.gather(*running)


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1]), sys.argv[2]))
