"""`make soak`: a constant load for a long time, an instance killed now and then, and a verdict on what must not grow.

    python soak.py --minutes 30 --engine mariadb --seed 1

Every few seconds the resident memory, the threads and the open files of each server are read, and the connections to
the database. The last server is the one that is killed, so that the others show how a process of that age is. Every few
minutes the load is judged as `make chaos` does it. Ends with 1 when a figure is not flat, or a promise was broken.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from cluster import PROJECT, Cluster, Skipped
from faults import Fault, Stage
from flatness import Trend, trend, warmed_up
from measure import Measurement, no_failures, only_posts_in_flight_fail
from plain_service import plain_service
from report import details, table
from trial import run_fault

SAMPLE_SECONDS = 5.0
EPOCH_SECONDS = 150.0
# A process that has lived for a shorter time than this share of the run is not judged.
JUDGED_SHARE = 0.3


@dataclass
class Samples:
    """Points (seconds, figure) by process and by what was measured."""

    series: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    start: float = field(default_factory=time.monotonic)

    def add(self, process: str, figure: str, value: float) -> None:
        self.series[process, figure].append((time.monotonic() - self.start, value))


def sample_process(pid: int) -> dict[str, float]:
    """Of a process that runs: its memory in MiB, its threads, its open files."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return {
        "memory MiB": int(status["VmRSS"].split()[0]) / 1024,
        "threads": int(status["Threads"]),
        "files": len(list(Path(f"/proc/{pid}/fd").iterdir())),
    }


def tolerance(figure: str, points: list[tuple[float, float]]) -> float:
    """How much higher a figure may end than it began."""
    beginning = points[0][1]
    return {"memory MiB": max(8.0, 0.1 * beginning), "threads": 2.0, "files": 8.0, "connections": 5.0}[figure]


async def sample(cluster: Cluster, samples: Samples) -> None:
    """Until it is cancelled. What is being killed or started has no figures at that moment."""
    while True:
        for number, part in enumerate(cluster.parts, start=1):
            with contextlib.suppress(OSError, ValueError, KeyError):
                pid = int((cluster.folder / f"servers/{number}/pid").read_text())
                for figure, value in sample_process(pid).items():
                    samples.add(f"{part} ({pid})", figure, value)
        with contextlib.suppress(RuntimeError):
            samples.add("database", "connections", await cluster.connections())
        await asyncio.sleep(SAMPLE_SECONDS)


async def load_and_kill_once(stage: Stage) -> None:
    """An epoch: in the middle of it the last server is killed and started again."""
    await stage.load(1 / 2)
    server = stage.cluster.parts[-1]
    with stage.strike():
        await stage.cluster.kill_now(server)
    await stage.cluster.start(server)
    stage.heal()
    await stage.load(1 / 2)


async def load_only(stage: Stage) -> None:
    await stage.load(1)


def judged(samples: Samples, seconds: float) -> list[tuple[str, str, Trend]]:
    """Of each process that has lived long enough, how each figure went."""
    found = []
    for (process, figure), points in samples.series.items():
        if points[-1][0] - points[0][0] >= seconds * JUDGED_SHARE:
            warm = warmed_up(points)
            found.append((process, figure, trend(warm, tolerance(figure, warm))))
    return found


def trend_table(trends: list[tuple[str, str, Trend]]) -> str:
    rows = [
        "| of | figure | first third | last third | highest | per hour | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for process, figure, each in trends:
        verdict = "flat" if each.is_flat else "GROWS"
        rows.append(
            f"| {process} | {figure} | {each.first:.1f} | {each.last:.1f} | {each.highest:.1f} "
            f"| {each.slope_per_hour:+.1f} | {verdict} |"
        )
    return "\n".join(rows)


async def soak(cluster: Cluster, arguments: argparse.Namespace, service_url: str) -> tuple[Samples, list[Measurement]]:
    """Epoch after epoch; an instance is killed in every third."""
    samples, lines = Samples(), []
    sampling = asyncio.create_task(sample(cluster, samples))
    try:
        end = time.monotonic() + 60 * arguments.minutes
        number = 0
        while (left := end - time.monotonic()) > 0:
            number += 1
            action = load_and_kill_once if number % 3 == 2 else load_only
            targets = (only_posts_in_flight_fail if action is load_and_kill_once else no_failures,)
            arguments.seconds = min(EPOCH_SECONDS, left)
            line, _ = await run_fault(cluster, Fault(f"soak-{number}", "", (), action, targets), arguments, service_url)
            lines.append(line)
            print(f"{number}: {line.requests} requests", *details(arguments.engine, line), sep="\n  ", flush=True)
    finally:
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)
    return samples, lines


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--engine", choices=["mariadb", "galera", "mysql", "group-replication"], default="mariadb")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--think", type=float, default=0.3)
    parser.add_argument("--report", type=Path, default=PROJECT / ".cache/soak", help="the folder for the report")
    return parser.parse_args()


async def main() -> int:
    arguments = parsed()
    arguments.report.mkdir(parents=True, exist_ok=True)
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    folder = Path(tempfile.mkdtemp(prefix="registry-soak."))
    cluster = Cluster(folder / arguments.engine, arguments.engine)
    with plain_service() as url:
        try:
            await cluster.up()
            samples, lines = await soak(cluster, arguments, url)
        except Skipped as reason:
            print(f"skipped: {reason}")
            return 0
        finally:
            await cluster.down()
            folder.rmdir()
    trends = judged(samples, 60 * arguments.minutes)
    text = "\n\n".join([trend_table(trends), table([(arguments.engine, line) for line in lines])])
    (arguments.report / "soak.md").write_text(f"# {arguments.minutes:g} minutes of load\n\n{text}\n")
    series = [
        {"of": process, "figure": figure, "points": points} for (process, figure), points in samples.series.items()
    ]
    (arguments.report / "soak.json").write_text(json.dumps(series))
    print(text)
    return 0 if all(each.is_flat for _, _, each in trends) and not any(line.missed for line in lines) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
