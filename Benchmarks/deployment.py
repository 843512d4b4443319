"""The database and the servers that are measured: throw-away, on loopback, as a deployment would have them."""

import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from dataset import AGENT, Dataset
from registry import Answer, command, ended_when_asked, environment, exchange
from server_database import ServerDatabase
from store import load_mariadb, load_sqlite

PROJECT = Path(__file__).parents[1]
BINARY = Path(os.environ.get("MCP_REGISTRY_BINARY", PROJECT / "Benchmarks/.build/release/mcp-registry")).resolve()
START_SECONDS = 60
STOP_SECONDS = 20
POLL_SECONDS = 0.001
SCOPES = "registry:read,tokens:read,users:act"
# As a deployment logs: a line a request. Nothing is limited, since one caller makes all the load, and the services of
# the data set are not there to be read.
SETTINGS = {
    "MCP_HOST": "127.0.0.1",
    "DRAIN_SECONDS": "0",
    "LOG_LEVEL": "info",
    "LOG_FORMAT": "json",
    "RATE_LIMIT": "0",
    "DISCOVERY_RATE_LIMIT": "0",
    "FAILED_LOGIN_LIMIT": "0",
    "REFRESH_INTERVAL": "0",
}


class Failure(Exception):
    """What keeps a figure from being one, in a sentence."""


class MariaDB:
    """A server with the durability that MariaDB has by itself."""

    def __init__(self, folder: Path, pool: str) -> None:
        self.folder, self.pool = folder / "mariadb", pool
        try:
            self._script("start", f"--durable={pool}")
        except BaseException:
            self.stop()
            raise
        self.url = (self.folder / "url").read_text().strip()
        self.pid = int((self.folder / "pid").read_text())
        self.database = ServerDatabase(folder, self.url)
        # What asking for the number adds to it.
        self.own_questions = -self.questions() + self.questions()

    def stop(self) -> None:
        self._script("stop")

    def _script(self, verb: str, *options: str) -> None:
        """Whoever interrupts us ends what the script has under way too, or it would go on in a folder that is removed."""
        with subprocess.Popen(
            [PROJECT / "Scripts/mariadb", verb, *options, self.folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as script:
            try:
                _, errors = script.communicate()
            except BaseException:
                os.killpg(script.pid, signal.SIGKILL)
                raise
        if script.returncode != 0:
            raise Failure(errors.strip())

    @property
    def version(self) -> str:
        return self.database.sql("SELECT VERSION()")[0][0]

    def questions(self) -> int:
        """How many statements clients have sent so far, each a round trip; pings and preparing do not count."""
        return int(self.database.sql("SHOW GLOBAL STATUS LIKE 'Questions'")[0][1])


class Server:
    """A `mcp-registry serve` on a database that is migrated."""

    def __init__(self, folder: Path, settings: dict[str, str], token: str) -> None:
        """Starts it, and waits until it is ready; `seconds_to_ready` says how long that took."""
        self.token = token
        self.log = folder / "serve.log"
        began = time.monotonic()
        # Appending, so that the log can be cut off while it grows.
        with self.log.open("ab") as log:
            log.truncate(0)
            self.process = subprocess.Popen(
                [BINARY, "serve", "--port", "0"],
                cwd=folder,
                env=environment(**settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self.url = self._address(began + START_SECONDS)
            while self.get("/ready").status != 200:
                self._wait(began + START_SECONDS)
        except BaseException:
            self.stop()
            raise
        self.seconds_to_ready = time.monotonic() - began

    def _address(self, deadline: float) -> str:
        while not (address := re.search(r"listening on (http://\S+:\d+)", self.log.read_text(errors="replace"))):
            self._wait(deadline)
        return address[1]

    def _wait(self, deadline: float) -> None:
        if self.process.poll() is not None or time.monotonic() > deadline:
            raise Failure(f"the server did not start:\n{self.log.read_text(errors='replace')}")
        time.sleep(POLL_SECONDS)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, target: str) -> Answer:
        return self.ask("GET", target, "", self.authorization)

    def ask(self, method: str, target: str, body: str, headers: dict[str, str]) -> Answer:
        """One request on a connection of its own."""
        address = urlsplit(self.url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=60)
        try:
            return exchange(connection, method, target, body.encode() or None, **headers)
        finally:
            connection.close()

    def forget_log(self) -> None:
        """The log is written to a disk, which would be full some day."""
        os.truncate(self.log, 0)

    def stop(self) -> None:
        ended_when_asked(self.process, STOP_SECONDS)


class Deployment:
    """A loaded database, and the settings and the API key with which servers are started on it."""

    def __init__(self, folder: Path, dataset: Dataset, mariadb: MariaDB | None) -> None:
        """Without a MariaDB it is on SQLite."""
        self.folder, self.dataset, self.mariadb = folder, dataset, mariadb
        self.servers = 0
        folder.mkdir()
        self.database = ServerDatabase(folder, mariadb.url) if mariadb else None
        url = self.database.url() if self.database else f"sqlite:///{folder}/registry.db"
        self.settings = SETTINGS | {"DATABASE_URL": url, "REGISTRY_ADMIN_TOKEN": secrets.token_urlsafe(32)}
        key = self._command("keys", "generate")
        self.settings["REGISTRY_KEY"] = key
        self._command("migrate", "up")
        name = AGENT.removeprefix("key:")
        self.token = self._command("api-keys", "create", "--name", name, "--scopes", SCOPES)
        self._load(key)

    def _command(self, *arguments: str) -> str:
        done = command(self.folder, *arguments, binary=BINARY, **self.settings)
        if done.returncode != 0:
            raise Failure(f"{' '.join(arguments[:2])}: {done.stderr.strip()}")
        return done.stdout.strip()

    def _load(self, key: str) -> None:
        if self.database:
            load_mariadb(self.database, self.dataset, b64decode(key))
        else:
            load_sqlite(self.folder / "registry.db", self.dataset, b64decode(key))

    @contextmanager
    def server(self, **settings: str) -> Iterator[Server]:
        self.servers += 1
        folder = self.folder / f"server-{self.servers}"
        folder.mkdir()
        server = Server(folder, self.settings | settings, self.token)
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def run_folder(parent: Path) -> Iterator[Path]:
    """A folder for everything that is thrown away. On a disk, which is what durability costs."""
    folder = parent / f"registry-bench.{secrets.token_hex(3)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def mariadb_in(folder: Path, pool: str) -> Iterator[MariaDB]:
    mariadb = MariaDB(folder, pool)
    try:
        yield mariadb
    finally:
        mariadb.stop()
