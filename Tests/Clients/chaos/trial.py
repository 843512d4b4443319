"""One fault under load, from the first request to the verdict."""

import argparse
import asyncio
import math
import random
import secrets
import time

from checker import Violation, check
from cluster import Deployment
from faults import Fault, Stage
from history import Operation, read_audit
from load import Caller, Load, new_session
from measure import Marks, Measurement, measure
from world import World


async def run_fault(
    deployment: Deployment, fault: Fault, arguments: argparse.Namespace, service_url: str
) -> tuple[Measurement, list[Operation]]:
    """Load, fault, final state, verdict."""
    began, seed = time.monotonic(), f"{arguments.seed} {fault.name}"
    async with new_session() as session:
        caller = Caller(deployment.url, deployment.credentials, session)
        world = World(f"{fault.name}-{secrets.token_hex(3)}", service_url, deployment.agents, fault.padding)
        load = Load(world, caller, seed, arguments.clients, arguments.think)
        await load.set_up()
        stage = Stage(deployment, load, random.Random(seed), arguments.seconds, Marks(start=time.monotonic()))
        clients = asyncio.create_task(load.run())
        try:
            await fault.action(stage)
        finally:
            stage.marks.stop = time.monotonic()
            load.is_over.set()
            await asyncio.gather(clients, *stage.changes)
        await load.read_final_state([Caller(url, deployment.credentials, session) for url in deployment.server_urls])
    minutes = math.ceil((time.monotonic() - began) / 60) + 1
    audit = read_audit(await deployment.registry("audit", "list", "--json", "--since", f"{minutes}m"))
    violations = check(load.operations, audit, world.initial)
    line = measure(fault.name, load.operations, violations, stage.marks)
    line.note = stage.note
    line.missed = judge(fault, load.operations, violations, stage.marks) + await deployment.damage()
    return line, load.operations


def judge(fault: Fault, operations: list[Operation], violations: list[Violation], marks: Marks) -> list[str]:
    """What is not as it has to be, a sentence each."""
    if fault.finds:
        is_found = any(violation.kind is fault.finds for violation in violations)
        return [] if is_found else [f"nothing {fault.finds.value} was found, though `serve` was told to allow it"]
    load = [operation for operation in operations if not operation.final]
    missed = [sentence for target in fault.targets for sentence in target(load, marks)]
    return missed + ([f"{len(violations)} violations, 0 may be"] if violations else [])
