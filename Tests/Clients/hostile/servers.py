"""Servers on loopback that say whatever they are told to, byte by byte, and count who comes."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

HOLD = 3600.0
"""Yielded instead of bytes: say nothing more until the server ends."""

SENT_MAX = 64 << 20
"""What one connection is given at most; a reader that takes so much has no limit."""

Answer = Iterable[bytes | float]
"""The raw bytes of an HTTP answer; a number is a pause in seconds."""


@dataclass(frozen=True)
class Request:
    """What the registry sent, and where."""

    verb: str
    path: str
    message: Any
    port: int
    trap: int

    @property
    def method(self) -> str:
        """The JSON-RPC method; the verb of HTTP for anything but POST."""
        return self.message.get("method", "") if isinstance(self.message, dict) else self.verb

    @property
    def id(self) -> Any:
        return self.message.get("id") if isinstance(self.message, dict) else None

    @property
    def cursor(self) -> Any:
        return (self.message.get("params") or {}).get("cursor")


Behaviour = Callable[[Request], Answer]


class Listener:
    """A port that counts the connections made to it; each is served by a thread of its own."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.create_server((host, port), family=family, backlog=64, dualstack_ipv6=host == "::")
        self.port: int = self.socket.getsockname()[1]
        self.accepted = 0
        self.stopped = threading.Event()
        self.connections: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            connection.settimeout(60)
            self.connections.add(connection)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            self.speak(connection)
            connection.shutdown(socket.SHUT_RDWR)
        except (OSError, ValueError):
            pass
        finally:
            self.connections.discard(connection)
            connection.close()

    def speak(self, connection: socket.socket) -> None:
        """A bare listener takes connections and closes them."""

    def stop(self) -> None:
        self.stopped.set()
        self.socket.close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class HostileServer(Listener):
    """Reads each request properly, and answers it as the behaviour says; one request on each connection.

    Beside it stands a trap: a port that nobody may contact.
    """

    def __init__(self, behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self.tls = tls
        self.sent = 0
        self.methods: list[str] = []
        self.trap = Listener()
        super().__init__()

    def url(self, scheme: str = "http", path: str = "/mcp") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def speak(self, connection: socket.socket) -> None:
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True)
        request = self._read(connection)
        if not request:
            return
        self.methods.append(request.method)
        sent = 0
        for part in self.behaviour(request):
            if isinstance(part, float):
                self.stopped.wait(part)
            else:
                connection.sendall(part)
                sent += len(part)
            if self.stopped.is_set() or sent > SENT_MAX:
                break
        self.sent = max(self.sent, sent)

    def _read(self, connection: socket.socket) -> Request | None:
        data = b""
        while b"\r\n\r\n" not in data:
            received = connection.recv(65536)
            if not received:
                return None
            data += received
            if data[:1] == b"\x16":  # TLS where none is spoken
                return Request("TLS", "", None, self.port, self.trap.port)
        head, body = data.split(b"\r\n\r\n", 1)
        line, *fields = head.decode("latin-1").split("\r\n")
        lengths = [int(field.split(":")[1]) for field in fields if field.lower().startswith("content-length:")]
        while lengths and len(body) < lengths[0]:
            received = connection.recv(65536)
            if not received:
                return None
            body += received
        verb, path, _ = line.split(" ", 2)
        return Request(verb, path, json.loads(body) if body else None, self.port, self.trap.port)

    def stop(self) -> None:
        self.trap.stop()
        super().stop()
