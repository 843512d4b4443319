"""What the server is measured against: other programs that do the least that has to be done."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dataset import AGENT, Dataset
from deployment import PROJECT, Failure
from registry import ended_when_asked, free_port
from server_database import ServerDatabase

CEILINGS = Path(__file__).parent / "Ceilings"
HUMMINGBIRD = Path(
    os.environ.get("MCP_REGISTRY_CEILING", PROJECT / "Benchmarks/.build/release/mcp-registry-ceiling")
).resolve()
START_SECONDS = 20
STOP_SECONDS = 10


@dataclass(frozen=True)
class Selects:
    """A run of point_select."""

    count: int
    per_second: float
    cpu_us: float


class PointSelect:
    """The C program that asks MariaDB for tokens."""

    def __init__(self, folder: Path) -> None:
        """Compiles it."""
        self.program = folder / "point_select"
        flags = output_of("pkg-config", "--cflags", "--libs", "libmariadb").split()
        output_of("cc", "-O2", "-pthread", "-o", str(self.program), str(CEILINGS / "point_select.c"), *flags)

    def run(self, database: ServerDatabase, dataset: Dataset, connections: int, seconds: int) -> Selects:
        numbers = [connections, seconds, dataset.services, dataset.users, dataset.tokens]
        options = database.options.with_suffix(".point_select.cnf")
        options.touch(mode=0o600)
        options.write_text(f"{database.options.read_text()}host=127.0.0.1\nport={database.port()}\n")
        told = json.loads(output_of(str(self.program), str(options), database.name, AGENT, *map(str, numbers)))
        if not told["count"]:
            raise Failure("point_select: no answer")
        return Selects(told["count"], told["count"] / told["seconds"], told["cpu_us"] / told["count"])


def has_hummingbird() -> bool:
    return os.access(HUMMINGBIRD, os.X_OK)


@dataclass(frozen=True)
class Serving:
    """A program that answers everything with the same bytes."""

    url: str
    pid: int


@contextmanager
def hummingbird(folder: Path, body: str, content_type: str) -> Iterator[Serving]:
    """The same HTTP server as the registry's, which has the bytes in memory."""
    folder.mkdir()
    (folder / "body").write_text(body)
    log = folder / "log"
    words = [HUMMINGBIRD, "--port", "0", "--file", folder / "body", "--content-type", content_type]
    with _spawned(words, log) as process:
        address = re.compile(r"listening on (http://\S+:\d+)")
        _await(process, log, lambda: address.search(log.read_text()) is not None)
        yield Serving(address.findall(log.read_text())[0], process.pid)


def nginx_program() -> str | None:
    unpacked = PROJECT / ".cache/nginx/usr/sbin/nginx"
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:{unpacked.parent}")


@contextmanager
def nginx(program: str, folder: Path, bodies: dict[str, str]) -> Iterator[Serving]:
    """Each body as a static file, served by one process: with two cores the load generator has the other."""
    folder.mkdir()
    for name, body in bodies.items():
        (folder / name).write_text(body)
    port = free_port()
    temporary = "".join(
        f"  {kind}_temp_path {folder}/{kind};\n" for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    )
    (folder / "nginx.conf").write_text(
        "daemon off;\nmaster_process off;\n"
        f"pid {folder}/pid;\n"
        "events { worker_connections 4096; }\n"
        f"http {{\n{temporary}  access_log off;\n  default_type application/json;\n"
        "  keepalive_requests 1000000000;\n  open_file_cache max=100;\n  sendfile on;\n  tcp_nopush on;\n"
        f"  server {{ listen 127.0.0.1:{port}; root {folder}; }}\n}}\n"
    )
    log = folder / "log"
    with _spawned([program, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"], log) as process:
        _await(process, log, lambda: _accepts(port))
        yield Serving(f"http://127.0.0.1:{port}", process.pid)


def _accepts(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _spawned(words: list[str | Path], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        ended_when_asked(process, STOP_SECONDS)


def _await(process: subprocess.Popen[bytes], log: Path, is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_there():
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failure(f"{process.args[0]} did not start: {log.read_text()}")
        time.sleep(0.01)


def output_of(*words: str) -> str:
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise Failure(f"{Path(words[0]).name}: {done.stderr.strip()}")
    return done.stdout
