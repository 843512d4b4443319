"""An MCP service of the standard library alone, for a registry to discover: 2025-11-25, three tools, nothing else."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOOLS: list[dict[str, Any]] = [
    {"name": name, "title": name.title(), "description": description, "inputSchema": {"type": "object"}}
    for name, description in [
        ("menu", "List the pizzas."),
        ("price", "Tell what some pizzas cost."),
        ("order", "Order pizzas to an address."),
    ]
]
# Longer than the registry waits.
HOLD_SECONDS = 60
RESULTS: dict[str, dict[str, Any]] = {
    "initialize": {
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "plain", "version": "1"},
    },
    "tools/list": {"tools": TOOLS},
}


class Hold:
    """Keeps a service from listing its tools at a path with `hold` in it, until a test lets it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()


class Handler(BaseHTTPRequestHandler):
    """Answers whatever has an id; any path will do."""

    protocol_version = "HTTP/1.1"
    hold: Hold | None = None

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "id" not in message:
            self._send(202, b"")
            return
        if self.hold and message["method"] == "tools/list" and "hold" in self.path:
            self.hold.reached.set()
            self.hold.released.wait(HOLD_SECONDS)
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
        if message["method"] in RESULTS:
            answer["result"] = RESULTS[message["method"]]
        else:
            answer["error"] = {"code": -32601, "message": "Method not found"}
        self._send(200, json.dumps(answer).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # The registry has lost its interest.

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing."""


@contextmanager
def plain_service(hold: Hold | None = None) -> Iterator[str]:
    """The URL of such a service while it runs."""
    handler = type("HoldingHandler", (Handler,), {"hold": hold}) if hold else Handler
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/mcp"
        finally:
            server.shutdown()
