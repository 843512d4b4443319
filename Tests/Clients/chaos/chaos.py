"""`make chaos`: puts a deployment under load and faults, and proves that no promise was broken.

    python chaos.py --engines mariadb,galera --faults instance-kill,node-kill-writer --seed 1 --seconds 15

Ends with 1 when something was lost, done twice, stale or wrong, when a target was missed, or when the checker has found nothing
where a promise was broken on purpose. What can't be had on this machine is skipped, and named.
"""

import argparse
import asyncio
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from cluster import BINARY, PROJECT, Cluster, Deployment, Skipped, SmallDisk
from checker import check
from faults import FAULTS, Fault, Stage
from history import Operation, read_audit, write_history
from load import Caller, Load, new_session
from measure import Marks, Measurement, measure
from report import details, table, write_report
from world import World

from plain_service import plain_service

ENGINES = ["mariadb", "galera", "mysql", "sqlite"]
# Beyond the time that the load is given: what starts, heals and is judged around it.
RUN_SECONDS = 240


def deployment_of(engine: str, folder: Path) -> Cluster | SmallDisk:
    return SmallDisk(folder) if engine == "sqlite" else Cluster(folder, engine)


async def run_fault(
    deployment: Deployment, fault: Fault, arguments: argparse.Namespace, service_url: str
) -> tuple[Measurement, list[Operation]]:
    """Load, fault, final state, verdict."""
    seed = f"{arguments.seed} {fault.name}"
    async with new_session() as session:
        caller = Caller(deployment.url, deployment.credentials, session)
        world = World(f"{fault.name}-{secrets.token_hex(3)}", service_url, deployment.agents, fault.padding)
        load = Load(world, caller, seed, arguments.clients, arguments.think)
        await load.set_up()
        stage = Stage(deployment, random.Random(seed), arguments.seconds, Marks(start=time.monotonic()))
        clients = asyncio.create_task(load.run())
        try:
            await fault.action(stage)
        finally:
            stage.marks.stop = time.monotonic()
            load.is_over.set()
            await clients
        await load.read_final_state([Caller(url, deployment.credentials, session) for url in deployment.server_urls])
    audit = read_audit(await deployment.registry("audit", "list", "--json"))
    violations = check(load.operations, audit, world.initial)
    line = measure(fault.name, load.operations, violations, stage.marks)
    line.note = stage.note
    await deployment.registry("audit", "verify")
    if fault.broken_by:
        line.missed = [] if violations else ["the checker has found nothing, though a promise was broken on purpose"]
    else:
        load_only = [operation for operation in load.operations if not operation.final]
        line.missed = [sentence for target in fault.targets for sentence in target(load_only, stage.marks)]
        line.missed += [f"{len(violations)} violations, 0 may be"] if violations else []
    return line, load.operations


class Run:
    """All faults on all engines. A deployment is kept from one fault to the next unless it is broken on purpose or by us."""

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
                run_fault(deployment, fault, self.arguments, self.service_url), self.arguments.seconds + RUN_SECONDS
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
    names = [fault.name for fault in FAULTS]
    parser.add_argument("--engines", default=",".join(ENGINES), help="separated by commas")
    parser.add_argument("--faults", default=",".join(names), help=f"of {', '.join(names)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=15, help="of load for each fault, beside what the fault takes")
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--think", type=float, default=0.2, help="seconds between two requests of a client, on average")
    parser.add_argument("--report", type=Path, default=PROJECT / ".cache/chaos", help="the folder for report and histories")
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
    shutil.rmtree(arguments.report, ignore_errors=True)
    arguments.report.mkdir(parents=True)
    folder = Path(tempfile.mkdtemp(prefix="registry-chaos."))
    try:
        with plain_service() as url:
            run = Run(arguments, url, folder)
            for engine in arguments.engines:
                await run.engine(engine)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    run.report()
    print("", table(run.lines), *[f"skipped: {reason}" for reason in run.skipped], *run.broken, sep="\n")
    print(f"{'All promises and targets were kept' if run.is_good else 'NOT all promises and targets were kept'}: {arguments.report}")
    return 0 if run.is_good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
