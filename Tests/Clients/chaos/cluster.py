"""What is served: a cluster of `Scripts/cluster`, or one server on SQLite with a disk of its own that can be filled."""

import asyncio
import contextlib
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from registry import BINARY, environment  # noqa: E402

PROJECT = Path(__file__).parents[3]
COMMAND_SECONDS = 90
# EX_UNAVAILABLE of sysexits.h: what is needed can't be had here.
UNAVAILABLE = 69
AGENTS = ["agent-a", "agent-b"]
SETTINGS = ["DISCOVERY_ALLOW_PRIVATE=true", "RATE_LIMIT=0", "DISCOVERY_RATE_LIMIT=0"]
SERVERS = 3
CLUSTERED = ["galera", "group-replication"]
SCHEMA = "registry_cluster"
COMPARISONS = 10
# Of what the load writes to: how many rows, and a sum that shows whether they are the same.
CONTENTS = "; ".join(
    f"SELECT COUNT(*), COALESCE(SUM(CRC32(CONCAT_WS('|', {columns}))), 0) FROM {table}"
    for table, columns in [
        ("audit_log", "operation_id, action, target"),
        ("roles", "name, default_system_prompt"),
        ("users", "user_id, role_name"),
        ("services", "id, name"),
        ("tool_roles", "tool_id, role_name"),
        ("user_tokens", "service_id, user_id, envelope"),
        ("token_grants", "service_id, user_id, agent"),
    ]
)


class Skipped(Exception):
    """Something can't be had here, for the reason given."""


@dataclass
class Ended:
    """How a command ended."""

    code: int
    output: str
    errors: str


async def run(
    *arguments: str | Path, seconds: float = COMMAND_SECONDS, text: str = "", variables: dict[str, str] | None = None
) -> Ended:
    """Runs a command to its end, which comes in time or by force."""
    process = await asyncio.create_subprocess_exec(
        *map(str, arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd="/",  # no .env of anybody's is read
        env=environment(MCP_REGISTRY_BINARY=str(BINARY)) | (variables or {}),
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(text.encode()), seconds)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()
        raise RuntimeError(f"{arguments[0]} {arguments[1]} did not end within {seconds:.0f} s") from None
    return Ended(process.returncode or 0, output.decode(errors="replace"), errors.decode(errors="replace"))


@dataclass
class Deployment:
    """What the load talks to."""

    folder: Path
    url: str = ""
    server_urls: list[str] = field(default_factory=list)
    credentials: dict[str, str] = field(default_factory=dict)
    # The audit name of each agent, by the name of its credential.
    agents: dict[str, str] = field(default_factory=dict)

    async def registry(self, *arguments: str) -> str:
        """The output of a command of the program, which has to succeed."""
        return await self._succeed(str(BINARY), *arguments)

    async def _succeed(self, *command: str) -> str:
        ended = await run(*command, variables=self.command_settings())
        if ended.code != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {ended.code}: {ended.errors[-500:]}")
        return ended.output

    def command_settings(self) -> dict[str, str]:
        """The environment of the program's commands."""
        raise NotImplementedError

    async def damage(self) -> list[str]:
        """What the database itself shows when all is over: each sentence is one too many."""
        try:
            await self.registry("audit", "verify")
        except RuntimeError as error:
            return [str(error)]
        return []

    async def make_agents(self) -> None:
        """API keys of programs that may be given tokens if users grant them."""
        for agent in AGENTS:
            name = f"{agent}-{secrets.token_hex(4)}"
            made = await self.registry(
                "api-keys", "create", "--name", name, "--scopes", "registry:read,tokens:read,users:act", "--json"
            )
            self.credentials[agent] = json.loads(made)["key"]
            self.agents[agent] = f"key:{name}"

    async def down(self) -> None:
        """Ends all and deletes all."""
        raise NotImplementedError


class Cluster(Deployment):
    """`Scripts/cluster` on one kind of database."""

    def __init__(self, folder: Path, engine: str) -> None:
        super().__init__(folder)
        self.engine = engine
        self.parts = [f"server-{number}" for number in range(1, SERVERS + 1)]
        self.nodes = ["database-1", "database-2", "database-3"] if engine in CLUSTERED else ["database"]

    async def up(self, *serve_arguments: str) -> None:
        variables = {
            "CLUSTER_SETTINGS": " ".join(SETTINGS),
            "CLUSTER_SERVE_ARGUMENTS": " ".join(serve_arguments),
        }
        options = ["--database", self.engine, "--servers", str(SERVERS)]
        started = await run(PROJECT / "Scripts/cluster", "up", self.folder, *options, seconds=240, variables=variables)
        if started.code == UNAVAILABLE:
            raise Skipped(started.errors.strip())
        if started.code != 0:
            raise RuntimeError(f"the cluster did not start:\n{started.errors}")
        self.url = self._read("url")
        self.server_urls = [self._read(f"servers/{number}/url") for number in range(1, SERVERS + 1)]
        self.credentials["admin"] = self._read("secrets/admin_token")
        await self.make_agents()

    def _read(self, name: str) -> str:
        return (self.folder / name).read_text().strip()

    async def _command(self, command: str, *arguments: str) -> str:
        ended = await run(PROJECT / "Scripts/cluster", command, self.folder, *arguments)
        if ended.code != 0:
            raise RuntimeError(f"cluster {command} {' '.join(arguments)}: {ended.errors[-1500:]}")
        return ended.output

    async def down(self) -> None:
        await self._command("down")

    async def kill(self, part: str, signal_name: str = "KILL") -> None:
        """Sends a part a signal."""
        await self._command("kill", part, signal_name)

    async def kill_now(self, part: str) -> None:
        """SIGKILL, without the time that starting a program takes, until the end: before that the system still takes
        connections for the part."""
        pids = [int(self._read(f"{self._place(name)}/pid")) for name in (self.nodes if part == "database" else [part])]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        while any(map(is_alive, pids)):
            await asyncio.sleep(0.001)

    def _place(self, part: str) -> str:
        """The folder of a part that is one process."""
        kind, _, number = part.partition("-")
        if kind == "server":
            return f"servers/{number}"
        return f"database/node{number}" if number else "database"

    async def start(self, *parts: str) -> None:
        """Starts parts that have ended, or are about to, and waits until they are ready."""
        await self._command("start", *parts)

    async def restart(self, part: str) -> None:
        """As a rolling deploy does it: asked to end, and started when it has, or if it has by itself."""
        if await self.is_running(part):
            await self.kill(part, "TERM")
        await self.start(part)

    async def is_running(self, part: str) -> bool:
        return f"{part} - down" not in await self._command("status")

    def command_settings(self) -> dict[str, str]:
        names = {"DATABASE_URL_FILE": "database_url", "REGISTRY_KEYRING_FILE": "keyring"}
        return {setting: str(self.folder / "secrets" / name) for setting, name in names.items()}

    # What servers are told

    @property
    def database_url(self) -> str:
        return self._read("secrets/database_url")

    def tell_database_url(self, url: str) -> None:
        """What servers connect to from their next start on."""
        self.write_secret("database_url", url)

    async def serve_from(self, url: str) -> None:
        """All servers connect to another place from now on."""
        self.tell_database_url(url)
        for server in self.parts:
            await self.restart(server)

    def write_secret(self, name: str, text: str) -> None:
        """In place of the old file, at once: a server never reads half of it."""
        path = self.folder / "secrets" / name
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(text + "\n")
        new.replace(path)

    @property
    def keyring(self) -> dict[str, object]:
        ring: dict[str, object] = json.loads(self._read("secrets/keyring"))
        return ring

    # The database

    async def is_whole(self) -> bool:
        """Whether each node tells that all are members."""
        count = {
            "galera": "SELECT variable_value FROM information_schema.global_status "
            "WHERE variable_name = 'wsrep_cluster_size'",
            "group-replication": "SELECT COUNT(*) FROM performance_schema.replication_group_members "
            "WHERE member_state = 'ONLINE'",
        }[self.engine]
        return {await self.node_sql(node, count) for node in self.nodes} == {str(len(self.nodes))}

    async def node_sql(self, node: str, statement: str) -> str:
        """Runs a statement on a node as its administrator."""
        folder = self.folder / self._place(node)
        if self.engine == "group-replication":
            return await self._sql([f"--defaults-file={folder / 'administrator.cnf'}"], statement)
        socket = folder / "socket"
        options = ["--no-defaults", "--protocol=socket", f"--socket={socket}", f"--user={user_name()}"]
        return await self._sql(options, statement)

    async def _sql(self, options: list[str], statement: str) -> str:
        ended = await run("mariadb", *options, "--batch", "--skip-column-names", seconds=10, text=statement)
        if ended.code != 0:
            raise RuntimeError(f"the database: {ended.errors}")
        return ended.output.strip()

    async def damage(self) -> list[str]:
        """Beside what holds for all: nodes that do not have the same rows, which would be so for good."""
        for _ in range(COMPARISONS):
            states = {node: await self._sql(self._client(node), CONTENTS) for node in self.nodes}
            if len(set(states.values())) == 1:
                return await super().damage()
            await asyncio.sleep(0.5)
        return [f"the nodes differ: {states}", *await super().damage()]

    async def writer(self) -> str:
        """The node that most servers' connections are at."""
        counts = {node: await self._connections(node) for node in self.nodes}
        return max(self.nodes, key=lambda node: counts[node])

    async def connections(self) -> int:
        """How many connections the servers have to the database, at all nodes."""
        return sum([await self._connections(node) for node in self.nodes])

    def _client(self, node: str) -> list[str]:
        """The client's options for a node, as the user that the servers are."""
        return [f"--defaults-file={self.folder / self._place(node) / 'client.cnf'}", "--database", SCHEMA]

    async def _connections(self, node: str) -> int:
        count = f"SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{SCHEMA}'"
        return int(await self._sql(self._client(node), count)) - 1


def is_alive(pid: int) -> bool:
    """Whether a process has not ended; one that nobody has asked about yet has."""
    try:
        is_dead = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
        # Its files are closed when the last of its threads is gone, which need not be the first one.
        return not is_dead or len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


def user_name() -> str:
    """Who owns the throw-away databases."""
    return pwd.getpwuid(os.getuid()).pw_name


class SmallDisk(Deployment):
    """One server on SQLite, on a disk of some MiB in memory.

    Only a mount namespace has the disk, so no root is needed. A process that sleeps holds the namespace, and whatever
    needs the disk enters it.
    """

    MEBIBYTES = 8
    HOLD_SECONDS = 3600

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.disk = folder / "disk"
        self.processes: list[asyncio.subprocess.Process] = []

    async def up(self, *serve_arguments: str) -> None:
        self.disk.mkdir(parents=True)
        await self._mount()
        key = (await run(BINARY, "keys", "generate")).output.strip()
        self.credentials["admin"] = secrets.token_urlsafe(32)
        self.settings = {
            "REGISTRY_KEY": key,
            "REGISTRY_ADMIN_TOKEN": self.credentials["admin"],
            "MCP_HOST": "127.0.0.1",
        }
        self.settings |= dict(setting.split("=") for setting in SETTINGS)
        self.settings |= {"DATABASE_URL": f"sqlite:///{self.disk}/registry.db"}
        log = self.folder / "log"
        with log.open("wb") as output:
            server = await asyncio.create_subprocess_exec(
                *self._inside(),
                str(BINARY),
                "serve",
                "--port",
                "0",
                "--migrate-on-start",
                *serve_arguments,
                env=environment(**self.settings),
                cwd="/",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.processes.append(server)
        self.url = await self._address(log)
        self.server_urls = [self.url]
        await self.make_agents()

    async def _mount(self) -> None:
        """Starts the process that holds the disk."""
        script = 'mount -t tmpfs -o "size=$1m" tmpfs "$2" && echo ready && exec sleep "$3"'
        numbers = [str(self.MEBIBYTES), str(self.disk), str(self.HOLD_SECONDS)]
        holder = await asyncio.create_subprocess_exec(
            "unshare",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
            *numbers,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self.processes.append(holder)
        assert holder.stdout and holder.stderr
        if not await asyncio.wait_for(holder.stdout.readline(), 20):
            raise Skipped(f"no small disk can be had: {(await holder.stderr.read()).decode().strip()}")

    def _inside(self) -> list[str]:
        """Goes before a command that is to see the disk."""
        return ["nsenter", "--preserve-credentials", "--user", "--mount", f"--target={self.processes[0].pid}", "--"]

    @staticmethod
    async def _address(log: Path) -> str:
        for _ in range(600):
            if address := re.search(r"listening on (http://\S+:\d+)", log.read_text(errors="replace")):
                return address[1]
            await asyncio.sleep(0.05)
        raise RuntimeError(f"the server did not start:\n{log.read_text()}")

    async def registry(self, *arguments: str) -> str:
        return await self._succeed(*self._inside(), str(BINARY), *arguments)

    def command_settings(self) -> dict[str, str]:
        return self.settings

    def fill(self) -> None:
        """Leaves no room on the disk."""
        with contextlib.suppress(OSError), self._filler.open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))

    def free(self) -> None:
        """Makes room again."""
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return Path(f"/proc/{self.processes[0].pid}/root{self.disk}/filler")

    async def down(self) -> None:
        for process in reversed(self.processes):
            if process.returncode is None:
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 20)
            except asyncio.TimeoutError:
                process.kill()
                await process.wait()
        shutil.rmtree(self.folder)
