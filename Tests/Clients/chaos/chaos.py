"""`make chaos`: puts a deployment under load and faults, and proves that no promise was broken.

    python chaos.py --engines mariadb,galera --faults instance-kill,node-kill-writer --seed 1 --seconds 15

Ends with 1 when something was lost, done twice, stale or wrong, when a target was missed, or when the checker has found
nothing where a promise was broken on purpose. What can't be had on this machine is skipped, and named.
"""

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import sys
import tempfile
from pathlib import Path

from cluster import PROJECT, Cluster, Deployment, Skipped, SmallDisk
from faults import FAULTS, Fault
from history import write_history
from measure import Measurement
from plain_service import plain_service
from registry import BINARY
from report import details, table, write_report
from trial import run_fault

ENGINES = ["mariadb", "galera", "mysql", "group-replication", "sqlite"]
# Beyond the time that the load is given: what starts, heals and is judged around it.
RUN_SECONDS = 240


def deployment_of(engine: str, folder: Path) -> Cluster | SmallDisk:
    return SmallDisk(folder) if engine == "sqlite" else Cluster(folder, engine)


class Run:
    """All faults on all engines. A deployment is kept from one fault to the next, unless it could not be healed."""

    def __init__(self, arguments: argparse.Namespace, service_url: str, folder: Path) -> None:
        self.arguments, self.service_url, self.folder = arguments, service_url, folder
        self.lines: list[tuple[str, Measurement]] = []
        self.skipped: list[str] = []
        self.broken: list[str] = []

    async def engine(self, engine: str) -> None:
        """The faults that are wanted and make sense there, those with special servers last."""
        faults = [fault for fault in FAULTS if fault.name in self.arguments.faults and engine in fault.engines]
        deployment: Cluster | SmallDisk | None = None
        served: tuple[str, ...] = ()
        try:
            for fault in faults:
                if deployment and served != fault.broken_by:
                    await deployment.down()
                    deployment = None
                if not deployment:
                    deployment = deployment_of(engine, self.folder / f"{engine}-{secrets.token_hex(2)}")
                    served = fault.broken_by
                    await deployment.up(*served)
                if not await self.fault(engine, deployment, fault):
                    await deployment.down()
                    deployment = None
        except Skipped as reason:
            self.skipped.append(f"{engine}: {reason}")
        except RuntimeError as error:
            self.broken.append(f"{engine}: {error}")
        finally:
            if deployment:
                await deployment.down()

    async def fault(self, engine: str, deployment: Deployment, fault: Fault) -> bool:
        """Whether the deployment may be used further."""
        print(f"{engine}: {fault.name} ({fault.text})", flush=True)
        try:
            line, operations = await asyncio.wait_for(
                run_fault(deployment, fault, self.arguments, self.service_url),
                self.arguments.seconds + RUN_SECONDS,
            )
        except (RuntimeError, OSError, asyncio.TimeoutError) as error:
            self.broken.append(f"{engine} {fault.name}: {error or type(error).__name__}")
            print(f"  could not be run to its end: {error or type(error).__name__}", flush=True)
            return False
        self.lines.append((engine, line))
        write_history(self.arguments.report / f"{engine}-{fault.name}.jsonl", operations)
        self.report()
        for sentence in details(engine, line):
            print(f"  {sentence}", flush=True)
        return True

    def report(self) -> None:
        """Writes what is known so far."""
        write_report(self.arguments.report, self.lines, self.skipped + self.broken, self.arguments.seed)

    @property
    def is_good(self) -> bool:
        return not self.broken and all(not line.missed for _, line in self.lines)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = list(dict.fromkeys(fault.name for fault in FAULTS))
    parser.add_argument("--engines", default=",".join(ENGINES), help="separated by commas")
    parser.add_argument("--faults", default=",".join(names), help=f"of {', '.join(names)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=15, help="of load for each fault, beside what the fault takes")
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--think", type=float, default=0.2, help="seconds between two requests of a client, on average")
    parser.add_argument(
        "--report", type=Path, default=PROJECT / ".cache/chaos", help="the folder for report and histories"
    )
    arguments = parser.parse_args()
    for option, known in [("engines", ENGINES), ("faults", names)]:
        wanted = getattr(arguments, option).split(",")
        if unknown := [word for word in wanted if word not in known]:
            parser.error(f"--{option}: there is no {', '.join(unknown)}, only {', '.join(known)}")
        setattr(arguments, option, wanted)
    return arguments


async def main() -> int:
    arguments = parsed()
    if not os.access(BINARY, os.X_OK):
        sys.exit(f"there is no program {BINARY}: run make build, or name one by MCP_REGISTRY_BINARY")
    # So that what was started is ended before us.
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    arguments.report.mkdir(parents=True, exist_ok=True)
    for old in arguments.report.glob("*.jsonl"):
        old.unlink()
    folder = Path(tempfile.mkdtemp(prefix="registry-chaos."))
    with plain_service() as url:
        run = Run(arguments, url, folder)
        for engine in arguments.engines:
            await run.engine(engine)
    # What could not be ended stays, with the numbers of its processes.
    with contextlib.suppress(OSError):
        folder.rmdir()
    run.report()
    print("", table(run.lines), *[f"skipped: {reason}" for reason in run.skipped], *run.broken, sep="\n")
    print(f"{'All' if run.is_good else 'NOT all'} promises and targets were kept: {arguments.report}")
    return 0 if run.is_good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
