"""What is done to a deployment under load. Each fault heals what it has broken before it returns."""

import asyncio
import contextlib
import json
import random
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from checker import Kind
from cluster import PROJECT, SERVERS, Cluster, Deployment, SmallDisk
from history import Operation
from load import Load
from measure import Marks, Target, no_failures, only_posts_in_flight_fail, writes_resume

SINGLE, GALERA, GROUP, SQLITE = ("mariadb", "mysql"), ("galera",), ("group-replication",), ("sqlite",)
NODES = GALERA + GROUP
SERVED = SINGLE + NODES
STOPPED_SECONDS = 5
EXPELLED_SECONDS = 12
ISOLATED_SECONDS = 10
DISK_FULL_SECONDS = 4
RESUME_SECONDS = 5
# A group suspects a silent member after 5 s, which can't be set.
ELECTION_SECONDS = 12
CUT_EVERY = 15
# So many changes begin at once, and so long before a kill: then most are under way.
BURST, BURST_SECONDS = 30, 0.03
PROMOTE_SECONDS = 150


@dataclass
class Stage:
    """What a fault has to work with."""

    deployment: Deployment
    clients: Load
    chance: random.Random
    seconds: float
    marks: Marks
    note: str = ""
    # What a fault has asked for beside the clients; to be waited for in the end.
    changes: list["asyncio.Task[Operation]"] = field(default_factory=list)

    @property
    def cluster(self) -> Cluster:
        assert isinstance(self.deployment, Cluster)
        return self.deployment

    async def load(self, share: float = 1 / 3) -> None:
        """Lets the load go on for a share of the time."""
        await asyncio.sleep(self.seconds * share)

    @contextlib.contextmanager
    def strike(self) -> Iterator[None]:
        """Goes around what breaks something: sometime in it the fault comes."""
        before = time.monotonic()
        yield
        self.marks.strikes.append((before, time.monotonic()))

    async def kill(self, part: str) -> None:
        """SIGKILL while many changes are under way at once."""
        self.changes += [asyncio.create_task(self.clients.write(number, self.chance)) for number in range(BURST)]
        await asyncio.sleep(BURST_SECONDS)
        with self.strike():
            await self.cluster.kill_now(part)

    def heal(self) -> None:
        self.marks.healed = time.monotonic()

    def some_server(self) -> str:
        return self.chance.choice(self.cluster.parts)


Action = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """A scenario by its name."""

    name: str
    text: str
    engines: tuple[str, ...]
    action: Action
    targets: tuple[Target, ...] = ()
    # With these arguments `serve` breaks a promise, and the checker has to find what comes of it.
    broken_by: tuple[str, ...] = ()
    finds: Kind | None = None
    padding: int = 0


async def nothing(stage: Stage) -> None:
    await stage.load(1)


async def kill_instance(stage: Stage) -> None:
    """Each in turn: the more kills, the more requests are in flight at one of them."""
    share = 1 / (2 * SERVERS + 1)
    for server in stage.chance.sample(stage.cluster.parts, SERVERS):
        await stage.load(share)
        await stage.kill(server)
        await stage.load(share)
        await stage.cluster.start(server)
        stage.heal()
    await stage.load(share)


async def stop_instance(stage: Stage) -> None:
    await stop_part(stage, stage.some_server())


async def stop_part(stage: Stage, part: str, seconds: float = STOPPED_SECONDS) -> None:
    await stage.load()
    with stage.strike():
        await stage.cluster.kill(part, "STOP")
    try:
        await asyncio.sleep(seconds)
    finally:
        await stage.cluster.kill(part, "CONT")
    stage.heal()
    await stage.load()


async def restart_all(stage: Stage) -> None:
    await stage.load()
    with stage.strike():
        for server in stage.cluster.parts:
            await stage.cluster.restart(server)
    stage.heal()
    await stage.load()


async def deploy(stage: Stage) -> None:
    """A schema that only adds is migrated to while all serve, and then every server is replaced."""
    folder = stage.cluster.folder / "migrations"
    if not folder.exists():
        shutil.copytree(PROJECT / "Migrations", folder)
    number = 1 + max(int(path.name[:4]) for path in folder.iterdir() if path.name[:4].isdigit())
    write_migration(folder / f"{number:04}_of_the_load", f"chaos_{number}")
    await stage.load()
    with stage.strike():
        await stage.cluster.registry("migrate", "up", "--dir", str(folder))
        for server in stage.cluster.parts:
            await stage.cluster.restart(server)
    stage.heal()
    await stage.load()


def write_migration(folder: Path, table: str) -> None:
    """A column for a table in use, and a table that grows from one that is written to."""
    folder.mkdir()
    for engine in ("mysql", "sqlite"):
        (folder / f"up.{engine}.sql").write_text(
            f"-- phase: expand\nCREATE TABLE {table} (id BIGINT NOT NULL, PRIMARY KEY (id));\n"
            f"ALTER TABLE roles ADD COLUMN {table} BIGINT NULL;\n"
        )
        (folder / f"down.{engine}.sql").write_text(f"ALTER TABLE roles DROP COLUMN {table};\nDROP TABLE {table};\n")


async def rotate_keys(stage: Stage) -> None:
    cluster = stage.cluster
    ring = cluster.keyring
    keys, old = dict(ring["keys"]), int(ring["active"])  # type: ignore[call-overload]
    new = max(map(int, keys)) + 1
    keys[str(new)] = (await cluster.registry("keys", "generate")).strip()
    await stage.load()
    with stage.strike():
        await tell_ring(cluster, {"active": old, "keys": keys})
        await promote(cluster, new)
        await cluster.registry("keys", "rewrap", "--from", str(old), "--batch", "5")
        await cluster.registry("keys", "retire", str(old))
        del keys[str(old)]
        await tell_ring(cluster, {"active": new, "keys": keys})
    stage.heal()
    await stage.load()


async def tell_ring(cluster: Cluster, ring: dict[str, object]) -> None:
    cluster.write_secret("keyring", json.dumps(ring))
    for server in cluster.parts:
        await cluster.kill(server, "HUP")


async def promote(cluster: Cluster, key: int) -> None:
    """Is refused until every server has told that it has the key; one that was killed counts for two minutes more."""
    deadline = time.monotonic() + PROMOTE_SECONDS
    while True:
        try:
            await cluster.registry("keys", "promote", str(key))
            return
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)


async def kill_database(stage: Stage) -> None:
    """The only one: it is started again at once, as whoever supervises it would."""
    await stage.load()
    await stage.kill("database")
    await stage.cluster.start("database")
    stage.heal()
    await stage.load(2 / 3)


async def stop_database(stage: Stage) -> None:
    await stop_part(stage, "database")


async def kill_node(stage: Stage, node: str) -> None:
    await stage.load()
    await stage.kill(node)
    await stage.load(2 / 3)
    await stage.cluster.start(node)
    stage.heal()
    await stage.load()


async def kill_writer(stage: Stage) -> None:
    await kill_node(stage, await stage.cluster.writer())


async def kill_other_node(stage: Stage) -> None:
    writer = await stage.cluster.writer()
    await kill_node(stage, stage.chance.choice([node for node in stage.cluster.nodes if node != writer]))


async def whole(cluster: Cluster) -> None:
    """Waits until all nodes are members again."""
    deadline = time.monotonic() + 60
    while not await cluster.is_whole():
        if time.monotonic() > deadline:
            raise RuntimeError("the nodes did not come together again")
        await asyncio.sleep(0.2)


async def stop_node(stage: Stage, seconds: float = STOPPED_SECONDS) -> None:
    await stop_part(stage, await stage.cluster.writer(), seconds)
    await whole(stage.cluster)
    stage.heal()


async def expel_node(stage: Stage) -> None:
    """It sleeps for so long that the others go on without it, and does not know that when it wakes up."""
    await stop_node(stage, EXPELLED_SECONDS)


async def switch_writer(stage: Stage) -> None:
    """Each in turn is made the primary, as for maintenance."""
    share = 1 / (len(stage.cluster.nodes) + 1)
    for node in stage.cluster.nodes[1:] + stage.cluster.nodes[:1]:
        await stage.load(share)
        with stage.strike():
            await stage.cluster.node_sql(node, "SELECT group_replication_set_as_primary(@@server_uuid)")
        stage.heal()
    await stage.load(share)


async def isolate_node(stage: Stage) -> None:
    """The node runs and answers its clients, and hears nothing of the others."""
    node = await stage.cluster.writer()
    isolate = "SET GLOBAL wsrep_provider_options = 'gmcast.isolate={}'"
    await stage.load()
    with stage.strike():
        await stage.cluster.node_sql(node, isolate.format(1))
    try:
        await asyncio.sleep(ISOLATED_SECONDS)
    finally:
        await stage.cluster.node_sql(node, isolate.format(0))
    await whole(stage.cluster)
    stage.heal()
    await stage.load()


async def kill_all_nodes(stage: Stage) -> None:
    await stage.load()
    await stage.kill("database")
    await stage.cluster.start(*stage.cluster.nodes)
    stage.heal()
    await stage.load(2 / 3)


async def cut_at_commit(stage: Stage) -> None:
    """Between servers and database stands a proxy that cuts connections at COMMIT."""
    cluster = stage.cluster
    real = cluster.database_url
    async with commit_proxy(stage, real) as (behind, start_cutting):
        try:
            await cluster.serve_from(behind)
            with stage.strike():
                start_cutting()
                await stage.load(1)
        finally:
            await cluster.serve_from(real)
    stage.heal()
    await stage.load()


@contextlib.asynccontextmanager
async def commit_proxy(stage: Stage, url: str) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """The same URL behind proxies, one in front of each host, and what makes them start."""
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    proxy = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).parent / "commit_proxy.py"),
        "--seed",
        str(stage.chance.randrange(1_000_000)),
        "--every",
        str(CUT_EVERY),
        *hosts.split(","),
        stdout=asyncio.subprocess.PIPE,
    )
    assert proxy.stdout
    try:
        ports = (await asyncio.wait_for(proxy.stdout.readline(), 20)).decode().split()
        behind = ",".join(f"127.0.0.1:{port}" for port in ports)
        yield parts._replace(netloc=f"{credentials}@{behind}").geturl(), lambda: proxy.send_signal(signal.SIGUSR1)
        proxy.terminate()
        passed, unsent, unheard = (await asyncio.wait_for(proxy.stdout.readline(), 20)).decode().split()
        stage.note = (
            f"of {int(passed) + int(unsent) + int(unheard)} COMMITs {unsent} were cut before and {unheard} after"
        )
    finally:
        if proxy.returncode is None:
            proxy.kill()
        await proxy.wait()


async def read_from_all_nodes(stage: Stage) -> None:
    """Each server prefers a node of its own, so that an answer comes from another node than the one written to."""
    cluster = stage.cluster
    real = cluster.database_url
    parts = urlsplit(real)
    credentials, _, hosts = parts.netloc.rpartition("@")
    nodes = hosts.split(",")
    try:
        for number in range(SERVERS):
            rotated = ",".join(nodes[number:] + nodes[:number])
            cluster.tell_database_url(parts._replace(netloc=f"{credentials}@{rotated}").geturl())
            await cluster.restart(cluster.parts[number])
        with stage.strike():
            await stage.load(1)
    finally:
        await cluster.serve_from(real)
    stage.heal()


async def fill_disk(stage: Stage) -> None:
    assert isinstance(stage.deployment, SmallDisk)
    disk = stage.deployment
    await stage.load()
    with stage.strike():
        disk.fill()
    try:
        await asyncio.sleep(DISK_FULL_SECONDS)
    finally:
        disk.free()
    stage.heal()
    await stage.load()


planned = (no_failures,)
failover = (writes_resume(RESUME_SECONDS, since_healed=False),)
# What hangs is noticed by its silence only.
slow = (writes_resume(2 * RESUME_SECONDS, since_healed=False),)
election = (writes_resume(ELECTION_SECONDS, since_healed=False),)
back = (writes_resume(RESUME_SECONDS, since_healed=True),)
unsafe = "--unsafe-for-tests"

FAULTS = [
    Fault("none", "nothing", SERVED + SQLITE, nothing, planned),
    Fault("key-rotation", "promote, rewrap and retire", SERVED, rotate_keys, planned),
    Fault("instance-kill", "kill -9 of each server in turn", SERVED, kill_instance, (only_posts_in_flight_fail,)),
    Fault("instance-stop", "SIGSTOP of a server for some seconds", SERVED, stop_instance, slow),
    Fault("rolling-restart", "all servers, one after the other", SERVED, restart_all, planned),
    Fault("rolling-deploy", "a migration, then all servers", SERVED, deploy, planned),
    Fault("cut-at-commit", "connections cut at COMMIT", SERVED, cut_at_commit, planned),
    Fault("database-kill", "kill -9 of the only database", SINGLE, kill_database, back),
    Fault("database-stop", "SIGSTOP of the only database", SINGLE, stop_database, back),
    Fault("node-kill-writer", "kill -9 of the node that is written to", GALERA, kill_writer, failover),
    Fault("node-kill-writer", "kill -9 of the primary", GROUP, kill_writer, election),
    Fault("node-kill-other", "kill -9 of another node", NODES, kill_other_node, failover),
    Fault("node-stop", "SIGSTOP of the node that is written to", NODES, stop_node, slow),
    Fault("node-expelled", "SIGSTOP of the primary until another is elected", GROUP, expel_node),
    Fault("node-switch", "each node in turn is made the primary", GROUP, switch_writer, failover),
    Fault("node-isolated", "a node that hears nothing of the others", GALERA, isolate_node, slow),
    Fault("all-nodes", "kill -9 of all nodes at once", NODES, kill_all_nodes, back),
    Fault("disk-full", "no room for SQLite", SQLITE, fill_disk, back),
    # Not in a group: there all servers read from the primary.
    Fault("all-nodes-read", "each server at another node", GALERA, read_from_all_nodes, padding=8000),
    Fault(
        "proof-exactly-once",
        "cut at COMMIT, and not looked up",
        SERVED,
        cut_at_commit,
        broken_by=(unsafe, "exactly-once-off"),
        finds=Kind.DUPLICATED,
    ),
    Fault(
        "proof-causal-reads",
        "each server at another node, not waiting",
        GALERA,
        read_from_all_nodes,
        broken_by=(unsafe, "causal-reads-off"),
        finds=Kind.STALE,
        padding=8000,
    ),
]
