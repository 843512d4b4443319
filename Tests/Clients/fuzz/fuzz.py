#!/usr/bin/env python3
"""Sends many mutated requests to /mcp of a registry of its own, and expects that it answers each and stays as it was.

    fuzz.py [--requests N] [--seconds BOUND] [--seed S] [--workers W] [--first NUMBER]
    fuzz.py --replay FILE

A finding is an end of the process, a status of 500 or more, an internal error, an answer that can't be read, silence
for 10 seconds, or memory that grows. Each is written to a file, and the exit status is 1.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "wire"), str(Path(__file__).parent)]

from connection import ANSWER_SECONDS, Closed, Connection, Finding, judge  # noqa: E402
from mutations import Fuzzed, Generator  # noqa: E402
from plain_service import plain_service  # noqa: E402
from registry import Registry  # noqa: E402

# The longest burst that fits the buffers of a socket: sending it never waits for the other side to read.
BURST_BYTES = 48_000
BURST_REQUESTS = 32
FINDINGS_MAX = 20
# What memory may grow by between the first tenth of the requests and the end.
GROWTH_MEBIBYTES = 32


@dataclass
class Tally:
    """What one worker has seen."""

    statuses: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[str, int, bytes]] = field(default_factory=list)


class Worker:
    """Sends its share of the requests: in bursts where the framing allows it, else on connections of their own."""

    def __init__(self, address: tuple[str, int], generator: Generator) -> None:
        self.address = address
        self.generator = generator
        self.connection: Connection | None = None
        self.tally = Tally()

    def run(self, numbers: range, deadline: float, done: "Synchronized[int]") -> Tally:
        burst: list[tuple[int, Fuzzed]] = []
        size = 0
        for number in numbers:
            if time.monotonic() > deadline or len(self.tally.findings) >= FINDINGS_MAX:
                break
            fuzzed = self.generator.request(number)
            if fuzzed.is_alone:
                self._alone(number, fuzzed)
                self._count(1, done)
                continue
            burst.append((number, fuzzed))
            size += len(fuzzed.data)
            if len(burst) == BURST_REQUESTS or size > BURST_BYTES - 40_000:
                self._burst(burst)
                self._count(len(burst), done)
                burst, size = [], 0
        self._burst(burst)
        self._count(len(burst), done)
        return self.tally

    def _count(self, count: int, done: "Synchronized[int]") -> None:
        with done.get_lock():
            done.value += count

    def _note(self, finding: Finding, number: int, data: bytes) -> None:
        self.tally.findings.append((str(finding), number, data))
        self.tally.statuses["finding"] += 1

    def _alone(self, number: int, fuzzed: Fuzzed) -> None:
        """Whatever the bytes are, they end; then the server has to answer or to close."""
        connection = None
        answers = 0
        try:
            connection = Connection(self.address)
            connection.send(fuzzed.data, is_last=True)
            while True:
                answer = connection.answer(fuzzed.is_head and fuzzed.data.startswith(b"HEAD"))
                answers += 1
                self.tally.statuses[str(answer.status)] += 1
                judge(answer)
                if answer.closes:
                    break
        except Closed:
            self.tally.statuses["closed without an answer"] += answers == 0
        except Finding as finding:
            self._note(finding, number, fuzzed.data)
        finally:
            if connection:
                connection.close()

    def _burst(self, burst: list[tuple[int, Fuzzed]]) -> None:
        """All at once on one connection. Where the server closes it, the rest is sent again on another."""
        while burst:
            number, fuzzed = burst[0]
            try:
                self.connection = self.connection or Connection(self.address)
                self.connection.send(b"".join(fuzzed.data for _, fuzzed in burst))
                while burst:
                    number, fuzzed = burst[0]
                    answer = self.connection.answer(fuzzed.is_head)
                    burst = burst[1:]
                    self.tally.statuses[str(answer.status)] += 1
                    judge(answer)
                    if answer.closes:
                        self._disconnect()
                        break
            except Closed:
                self.tally.statuses["closed without an answer"] += 1
                burst = burst[1:]
                self._disconnect()
            except Finding as finding:
                self._note(finding, number, fuzzed.data)
                burst = burst[1:] if burst and burst[0][0] == number else burst
                self._disconnect()
                if len(self.tally.findings) >= FINDINGS_MAX:
                    return

    def _disconnect(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None


def work(
    address: tuple[str, int],
    generator: Generator,
    numbers: range,
    deadline: float,
    done: "Synchronized[int]",
    results: "multiprocessing.Queue[Tally]",
) -> None:
    results.put(Worker(address, generator).run(numbers, deadline, done))


@dataclass
class Outcome:
    """How a run went."""

    seed: int
    requests: int = 0
    seconds: float = 0
    statuses: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    memory: list[tuple[int, float]] = field(default_factory=list)

    def memory_at(self, share: float) -> float:
        """MiB resident once that share of the requests was answered."""
        return next((size for count, size in self.memory if count >= share * self.requests), self.memory[-1][1])

    def __str__(self) -> str:
        marks = ", ".join(f"{share:.0%} {self.memory_at(share):.0f}" for share in (0, 0.1, 0.25, 0.5, 0.75, 1))
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        lines = [
            f"seed {self.seed}: {self.requests} requests in {self.seconds:.0f} s, "
            f"{self.requests / max(self.seconds, 0.001):.0f} per second",
            f"answers: {statuses}",
            f"resident MiB at {marks}; allowed growth after 10%: {GROWTH_MEBIBYTES}",
            f"{len(self.findings)} findings",
            *self.findings,
        ]
        return "\n".join(lines)


def resident(pid: int) -> float:
    """MiB of a process in memory; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:")), 0)


def tool_list(registry: Registry) -> list[dict[str, Any]]:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    return registry.http("POST", "/mcp", message).json["result"]["tools"]


@contextmanager
def victim(folder: Path) -> Iterator[tuple[Registry, str]]:
    """A registry on SQLite without access control that knows one service, and the URL of that service."""
    with plain_service() as service:
        registry = Registry(folder, "--dev", settings={"REFRESH_INTERVAL": "0"})
        try:
            registry.done(
                "add_service",
                service_name="pizzeria",
                endpoint=service,
                description="Pizza",
                requires_authorization=True,
                method_authorization="Bearer",
            )
            yield registry, service
        finally:
            registry.process.kill()
            registry.process.wait()


def address_of(registry: Registry) -> tuple[str, int]:
    address = urlsplit(registry.url)
    return address.hostname or "", address.port or 0


def fuzz(
    folder: Path,
    *,
    requests: int,
    seconds: float,
    seed: int,
    workers: int = 3,
    first: int = 0,
    report: Callable[[str], None] = lambda text: None,
) -> Outcome:
    """Fuzzes a registry of its own. Requests that did harm are kept in `folder`; each tenth of the way is reported."""
    outcome = Outcome(seed)
    reported = 0
    context = multiprocessing.get_context("fork")
    done: "Synchronized[int]" = context.Value("q", 0)
    results: "multiprocessing.Queue[Tally]" = context.Queue()
    with victim(folder) as (registry, service):
        address = address_of(registry)
        generator = Generator(seed, f"{address[0]}:{address[1]}", tool_list(registry), service)
        start = time.monotonic()
        processes = [
            context.Process(
                target=work,
                args=(address, generator, numbers, start + seconds, done, results),
            )
            for numbers in (range(first + worker, first + requests, workers) for worker in range(workers))
        ]
        for process in processes:
            process.start()
        while any(process.is_alive() for process in processes) and results.qsize() < workers:
            outcome.memory.append((done.value, resident(registry.process.pid)))
            if done.value * 10 // requests > reported:
                reported = done.value * 10 // requests
                report(f"{done.value} requests, {time.monotonic() - start:.0f} s, {outcome.memory[-1][1]:.0f} MiB")
            time.sleep(0.25)
        tallies = [results.get(timeout=ANSWER_SECONDS * 2) for _ in processes]
        for process in processes:
            process.join()
        outcome.seconds = time.monotonic() - start
        outcome.requests = done.value
        outcome.memory.append((done.value, resident(registry.process.pid)))
        conclude(outcome, tallies, registry, folder)
    return outcome


def conclude(outcome: Outcome, tallies: list[Tally], registry: Registry, folder: Path) -> None:
    """Sums up, and judges the process as a whole."""
    for tally in tallies:
        outcome.statuses += tally.statuses
        for reason, number, data in tally.findings:
            file = folder / f"request-{outcome.seed}-{number}"
            file.write_bytes(data)
            outcome.findings.append(f"request {number}: {reason}\n    replay: {Path(__file__).name} --replay {file}")
    if registry.process.poll() is not None:
        outcome.findings.append(f"the process ended with {registry.process.returncode}: {registry.log}")
    elif registry.http("GET", "/health").status != 200:
        outcome.findings.append("the process is not healthy")
    else:
        try:
            registry.stop()
        except AssertionError as error:
            outcome.findings.append(f"the process did not stop as it should: {str(error)[:1000]}")
    output = registry.output()
    for line in output.splitlines():
        if "Fatal error" in line or " error " in line.split(" : ")[0]:
            outcome.findings.append(f"in the log: {line[:500]}")
    growth = outcome.memory_at(1) - outcome.memory_at(0.1)
    if growth > GROWTH_MEBIBYTES:
        outcome.findings.append(f"memory grew by {growth:.0f} MiB after the first tenth of the requests")


def replay(file: Path) -> int:
    """Sends one kept request to a new registry and shows what it says."""
    with tempfile.TemporaryDirectory() as folder, victim(Path(folder)) as (registry, _):
        connection = Connection(address_of(registry))
        connection.send(file.read_bytes(), is_last=True)
        try:
            while True:
                answer = connection.answer()
                print(answer)
                judge(answer)
        except Closed:
            return 0
        except Finding as finding:
            print(finding)
            return 1
        finally:
            print(f"exit status: {registry.process.poll()}", registry.output()[-3_000:], sep="\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=1_200, help="when to stop, however many were sent")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the number of the first request")
    parser.add_argument("--replay", type=Path, help="send one kept request instead")
    options = parser.parse_args()
    if options.replay:
        return replay(options.replay)
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    folder = Path(tempfile.mkdtemp(prefix="registry-fuzz-"))
    print(f"seed {options.seed}, in {folder}", flush=True)
    outcome = fuzz(
        folder,
        requests=options.requests,
        seconds=options.seconds,
        seed=options.seed,
        workers=options.workers,
        first=options.first,
        report=lambda text: print(text, flush=True),
    )
    print(outcome)
    if outcome.findings:
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
