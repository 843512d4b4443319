"""Starts and stops the program under test, and speaks plain HTTP to it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

BINARY = Path(os.environ.get("MCP_REGISTRY_BINARY", Path(__file__).parents[2] / ".build/debug/mcp-registry")).resolve()
START_SECONDS = 30
STOP_SECONDS = 10


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment(**settings: str) -> dict[str, str]:
    """The environment of a process under test: nothing of ours but what names programs and folders."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ} | settings


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, its body read to the end."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get_content_type()


def exchange(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, **headers: str
) -> Answer:
    """One request on a connection. A body that is not bytes or None is sent as JSON."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    if body is not None:
        headers = {"Content-Type": "application/json"} | headers
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read().decode())


class Registry:
    """One `mcp-registry serve` process in a folder of its own."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        settings: dict[str, str] | None = None,
        secrets: list[str] | None = None,
        binary: Path = BINARY,
    ) -> None:
        """Starts the process and waits until it listens. None of `secrets` may ever be in what it prints.

        Unless `settings` say otherwise it ends without waiting for load balancers.
        """
        settings = {"DRAIN_SECONDS": "0"} | (settings or {})
        self.admin_token = settings.get("REGISTRY_ADMIN_TOKEN")
        self.secrets = secrets if secrets is not None else []
        self.log = folder / f"serve-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--port", "0", *arguments],
                cwd=folder,
                env=environment(**settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.url = self._await_address()

    def _await_address(self) -> str:
        deadline = time.monotonic() + START_SECONDS
        while not (address := re.search(r"listening on (https?://\S+:\d+)", self.output())):
            ended = self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"serve {'ended' if ended else 'did not listen'}:\n{self.output()}")
            time.sleep(0.02)
        return address[1]

    @property
    def mcp_url(self) -> str:
        return self.url + "/mcp"

    def output(self) -> str:
        """All it has printed so far."""
        return self.log.read_text(errors="replace")

    def connect(self) -> http.client.HTTPConnection:
        """A connection that is never opened a second time behind the test's back."""
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        connection.connect()
        connection.auto_open = 0
        return connection

    def authorization(self) -> dict[str, str]:
        """The header that access control asks for, when it is on."""
        return {"Authorization": f"Bearer {self.admin_token}"} if self.admin_token else {}

    def http(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One authorized request on a connection of its own."""
        connection = self.connect()
        try:
            return exchange(connection, method, path, body, **(self.authorization() | headers))
        finally:
            connection.close()

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The result of a tool, asked for in one plain request: no handshake, no headers of MCP."""
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        answer = self.http("POST", "/mcp", message)
        assert answer.status == 200, answer
        return answer.json["result"]

    def done(self, tool: str, **arguments: Any) -> Any:
        """The value of a tool that is expected to succeed."""
        result = self.call(tool, **arguments)
        assert result.get("isError", False) is False, result
        return result["structuredContent"]["result"]

    def add_protected_service(self, name: str, endpoint: str) -> None:
        """Registers a service to which agents send a bearer token of the user's."""
        self.done(
            "add_service",
            service_name=name,
            endpoint=endpoint,
            description="",
            requires_authorization=True,
            method_authorization="Bearer",
        )

    def stop(self) -> None:
        """Asks it to end, expects that it does so in time and without complaint, and reads its output for secrets."""
        if not ended_when_asked(self.process):
            raise AssertionError(f"still running {STOP_SECONDS} s after SIGTERM:\n{self.output()}")
        output = self.output()
        assert self.process.returncode == 0, f"exit code {self.process.returncode}:\n{output}"
        for secret in [*self.secrets, *([self.admin_token] if self.admin_token else [])]:
            assert secret not in output, "a secret was printed"


def ended_when_asked(process: subprocess.Popen[bytes], seconds: float = STOP_SECONDS) -> bool:
    """Asks a process to end, and kills it when it does not in time. Whether it did."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


@contextmanager
def kept(registry: Registry) -> Iterator[Registry]:
    """A registry until it is no longer needed; it has to stop as asked."""
    try:
        yield registry
        registry.stop()
    finally:
        registry.process.kill()
        registry.process.wait()


def shell(commands: str, folder: Path, seconds: float, **settings: str) -> None:
    """Runs a page's commands with the program on the PATH, up to the first that fails."""
    path = f"{BINARY.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", commands],
        cwd=folder,
        env=environment(**settings) | {"PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done


def command(folder: Path, *arguments: str, binary: Path = BINARY, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs one command of the program to its end."""
    return subprocess.run(
        [binary, *arguments],
        cwd=folder,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
