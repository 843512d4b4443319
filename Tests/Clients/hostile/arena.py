"""Sets a hostile server on a registry, and watches what the registry does meanwhile."""

import re
import sqlite3
import ssl
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from answers import CANARY
from registry import Registry, exchange, kept

DISCOVERY_SECONDS = 10
"""The deadline of one discovery that the registries here are given."""
SLACK_SECONDS = 3
"""What the answer may take beyond that on a busy machine."""
HEALTH_SECONDS = 2
"""How long `/health` may take while the registry is busy with a hostile service."""
MEMORY_MEBIBYTES = 64
"""By how much the resident memory may grow over one case, at its peak."""

ADDRESS = re.compile(r"://|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+\]|::|localhost|:\d{2,5}\b|NIO|Error\(", re.IGNORECASE)
"""What looks like an address, or like an error of a library's."""
EXAMPLE = "such as 192.0.2.1"
"""The only address that a text may hold."""


class Memory:
    """The resident memory of a process in MiB, as Linux counts it."""

    idle: dict[int, float] = {}
    """What each process held when it was measured first."""

    def __init__(self, pid: int) -> None:
        """Lets the peak begin anew."""
        self.folder = Path(f"/proc/{pid}")
        (self.folder / "clear_refs").write_text("5")
        self.before = self._mebibytes("VmRSS")
        self.at_first = self.idle.setdefault(pid, self.before)

    def _mebibytes(self, name: str) -> float:
        return int(re.search(rf"{name}:\s+(\d+) kB", (self.folder / "status").read_text())[1]) / 1024

    @property
    def peak(self) -> float:
        """The most since the measurement began."""
        return self._mebibytes("VmHWM")


@dataclass
class Watch:
    """What was seen while something ran."""

    seconds: float = 0
    growth: float = 0
    """The peak above what there was just before."""
    above_idle: float = 0
    """The peak above what the registry held when it was new."""
    health: list[float] = field(default_factory=list)

    def check(self, memory: float = MEMORY_MEBIBYTES) -> None:
        assert self.health and max(self.health) < HEALTH_SECONDS, f"/health took {max(self.health):.1f} s"
        assert self.growth < memory, f"the registry grew by {self.growth:.0f} MiB"
        assert self.above_idle < memory, f"the registry holds {self.above_idle:.0f} MiB more than at its start"


@contextmanager
def watched(registry: Registry) -> Iterator[Watch]:
    """Asks for `/health` all the time, and measures time and memory."""
    watch, over = Watch(), threading.Event()

    def ask() -> None:
        connection = registry.connect()
        while True:
            began = time.monotonic()
            assert exchange(connection, "GET", "/health").status == 200
            watch.health.append(time.monotonic() - began)
            if over.wait(0.05):
                break
        connection.close()

    memory = Memory(registry.process.pid)
    asking = threading.Thread(target=ask)
    began = time.monotonic()
    asking.start()
    try:
        yield watch
    finally:
        watch.seconds = time.monotonic() - began
        over.set()
        asking.join()
        watch.growth, watch.above_idle = memory.peak - memory.before, memory.peak - memory.at_first


@dataclass
class Stored:
    """What the registry's database holds of services."""

    services: list[Any]
    tools: list[Any]
    audit: int

    @classmethod
    def of(cls, registry: Registry) -> "Stored":
        database = sqlite3.connect(registry.log.parent / "dev.db", timeout=10)
        try:
            rows = [database.execute(f"SELECT * FROM {table}").fetchall() for table in ["services", "tools"]]
            (audit,) = database.execute("SELECT count(*) FROM audit_log").fetchone()
        finally:
            database.close()
        return cls(*rows, audit)


def attempt(registry: Registry, endpoint: str, name: str | None = None) -> dict[str, Any]:
    """The result of `add_service`."""
    return registry.call(
        "add_service",
        service_name=name or uuid.uuid4().hex,
        endpoint=endpoint,
        description="",
        requires_authorization=False,
    )


def reason(result: dict[str, Any], endpoint: str, tool: str = "add_service") -> str:
    """Why the service was refused, in words that tell nothing of it but what its registrar knows."""
    assert result.get("isError") is True, result
    (content,) = result["content"]
    start = f"Error calling tool '{tool}': Failed to fetch tools from {endpoint}: "
    assert content["text"].startswith(start), content["text"]
    return discreet(content["text"].removeprefix(start))


def discreet(words: str) -> str:
    """A reason, which holds nothing that a service said and no address."""
    assert CANARY not in words, "the text repeats the service's answer"
    assert not ADDRESS.search(words.replace(EXAMPLE, "")), f"the text holds an address or an inner error: {words}"
    assert words.isascii() and words.isprintable() and 10 < len(words) < 200, words
    return words


def certificate(folder: Path) -> ssl.SSLContext:
    """A server with a certificate that nobody has signed but itself."""
    key, signed = folder / "key.pem", folder / "cert.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        + ["-keyout", key, "-out", signed, *subject],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed, key)
    return context


class Figures:
    """What was measured, printed as a table when all tests are over."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, Watch, int]] = []

    def note(self, name: str, watch: Watch, requests: int, record: Any) -> None:
        self.rows.append((name, watch, requests))
        record("seconds", round(watch.seconds, 2))
        record("memory_growth_mib", round(watch.growth, 1))
        record("memory_above_idle_mib", round(watch.above_idle, 1))
        record("health_max_seconds", round(max(watch.health), 3))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        write = terminalreporter.write_line
        write(f"{'hostile service':<52} {'s':>6} {'+MiB':>6} {'idle+MiB':>8} {'/health s':>9} {'requests':>8}")
        for name, watch, requests in sorted(self.rows, key=lambda row: -row[1].growth):
            memory = f"{watch.growth:6.1f} {watch.above_idle:8.1f}"
            write(f"{name[:52]:<52} {watch.seconds:6.2f} {memory} {max(watch.health):9.3f} {requests:8d}")


def running(folder: Path, *arguments: str, **settings: str) -> AbstractContextManager[Registry]:
    """A registry in its folder, whose output may never repeat what a service says."""
    return kept(Registry(folder, *arguments, settings=settings, secrets=[CANARY]))
