"""Starts the servers of this environment's SDKs, and reads what they recorded."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matrix import Variant, variants

START_SECONDS = 60
"""The imports alone take some SDKs more than five seconds on a busy machine."""
RECORD_SECONDS = 10


@dataclass(frozen=True)
class Fleet:
    """The running servers, one for each variant."""

    ready: dict[str, Any]
    log: Path

    def url(self, variant: Variant) -> str:
        return self.ready[variant.id]["address"] + variant.registered_path

    def tools(self, variant: Variant) -> list[dict[str, Any]]:
        """The tools as the SDK describes them itself."""
        return self.ready[variant.id]["tools"]

    def exchanges(self, variant: Variant, event: str = "answered") -> list[dict[str, Any]]:
        """What a server has been asked so far, in order. Events: answered, when an answer began; left, by the client."""
        entries = [json.loads(line) for line in self.log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [entry for entry in entries if (entry["variant"], entry["event"]) == (variant.id, event)]


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true in time."""
    deadline = time.monotonic() + RECORD_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def running_fleet(folder: Path) -> Iterator[Fleet]:
    """All variants that this environment can serve, in one process."""
    ready, log, errors = folder / "ready", folder / "log", folder / "errors"
    log.touch()
    described = json.dumps([asdict(variant) for variant in variants()])
    program = Path(__file__).parent / "servers/serve.py"
    with ready.open("wb") as output, errors.open("wb") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", program, described, log],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=complaints,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready.read_text().endswith("\n"):
            assert process.poll() is None and time.monotonic() < deadline, errors.read_text()
            time.sleep(0.05)
        yield Fleet(json.loads(ready.read_text()), log)
        assert process.poll() is None, f"the servers ended:\n{errors.read_text()}"
    finally:
        process.kill()
        process.wait()
