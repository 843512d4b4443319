"""Runs the load generator and reads what it tells."""

import json
import os
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deployment import Failure

SCRIPT = Path(__file__).parent / "wrk/request.lua"
END_SECONDS = 60
# The kinds that wrk tells apart; status is an answer of 400 or more.
ERRORS = ("connect", "read", "write", "status", "timeout")


@dataclass(frozen=True)
class Load:
    """A run of wrk. Its times are those of a client that asks again as soon as it has its answer."""

    requests: int
    seconds: float
    bytes: int
    p50_ms: float
    p99_ms: float
    errors: dict[str, int]

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def run(
    url: str,
    request: str,
    sizes: dict[str, int],
    connections: int,
    seconds: int,
    allowed_errors: tuple[str, ...] = (),
) -> Load:
    """Sends a request, a text as `Template.text` makes it, over so many connections. Any error is a failure."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=10s", f"--script={SCRIPT}", url]
    settings = {name.upper(): str(size) for name, size in sizes.items()}
    settings |= {"REQUEST": request, "SEED": str(random.randrange(1 << 30))}
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"]} | {f"BENCH_{name}": value for name, value in settings.items()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds + END_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise Failure(f"wrk: {done.stderr.strip() or done.stdout.strip()}")
    load = parse(done.stdout)
    unexpected = {kind: count for kind, count in load.errors.items() if count and kind not in allowed_errors}
    if unexpected or not load.requests:
        raise Failure(f"{load.requests} requests, errors: {unexpected or 'none'}")
    return load


def parse(output: str) -> Load:
    """Of the line that request.lua writes at the end."""
    told = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    return Load(
        requests=told["requests"],
        seconds=told["microseconds"] / 1e6,
        bytes=told["bytes"],
        p50_ms=told["p50"] / 1e3,
        p99_ms=told["p99"] / 1e3,
        errors=told["errors"],
    )
