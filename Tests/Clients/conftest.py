"""What the tests share: a demo service, and registries on each engine."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from server_database import ServerDatabase
from registry import Registry, command, free_port

PROJECT = Path(__file__).parents[2]
DEMO_START_SECONDS = 60

# A proxy of this machine's is not for traffic to itself.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


@dataclass
class Deployment:
    """A registry: the processes that serve one database."""

    engine: str
    servers: list[Registry] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    dump: Callable[[], str] = str

    @property
    def first(self) -> Registry:
        return self.servers[0]

    @property
    def other(self) -> Registry:
        """Another process on the same database, where there is one."""
        return self.servers[-1]

    def secret(self, kind: str) -> str:
        """A made-up secret that no process may ever print."""
        self.secrets.append(f"canary-{kind}-{uuid.uuid4().hex}")
        return self.secrets[-1]


def dump_sqlite(folder: Path) -> str:
    return subprocess.run(
        ["sqlite3", folder / "dev.db", ".dump"], capture_output=True, text=True, errors="replace", check=True
    ).stdout


def deploy(engine: str, folder: Path) -> Iterator[Deployment]:
    """SQLite: one process as `make run` starts it. MariaDB: two processes, with access control on."""
    deployment = Deployment(engine)
    database = None
    try:
        if engine == "SQLite":
            deployment.dump = lambda: dump_sqlite(folder)
            deployment.servers.append(Registry(folder, "--dev", secrets=deployment.secrets))
        else:
            database = ServerDatabase(folder, os.environ["TEST_MARIADB_URL"])
            deployment.dump = database.dump
            key = command(folder, "keys", "generate").stdout.strip()
            deployment.secrets += [key, database.password]
            migrated = command(folder, "migrate", "up", DATABASE_URL=database.url())
            assert migrated.returncode == 0, migrated
            token = deployment.secret("admin")
            for scheme in ["mysql", "mysql+pymysql"]:
                settings = {
                    "DATABASE_URL": database.url(scheme),
                    "REGISTRY_KEY": key,
                    "REGISTRY_ADMIN_TOKEN": token,
                    "MCP_HOST": "127.0.0.1",
                    "DISCOVERY_ALLOW_PRIVATE": "true",
                    # What one test asks wrongly or often is no matter of the others'.
                    "DISCOVERY_RATE_LIMIT": "0",
                    "FAILED_LOGIN_LIMIT": "0",
                }
                deployment.servers.append(Registry(folder, settings=settings, secrets=deployment.secrets))
        yield deployment
        for server in deployment.servers:
            server.stop()
    finally:
        for server in deployment.servers:
            server.process.kill()
            server.process.wait()
        if database:
            database.drop()


@pytest.fixture(scope="session", params=["SQLite", "MariaDB"])
def engine(request: pytest.FixtureRequest) -> str:
    """Every test that needs a database runs on each engine."""
    if request.param == "MariaDB" and not os.environ.get("TEST_MARIADB_URL"):
        pytest.skip("TEST_MARIADB_URL is not set: use make test-clients")
    return request.param


@pytest.fixture(scope="module")
def shared(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A registry that the tests of a module share; each uses names of its own."""
    yield from deploy(engine, tmp_path_factory.mktemp("registry"))


@pytest.fixture
def fresh(engine: str, tmp_path: Path) -> Iterator[Deployment]:
    """An empty registry for one test."""
    yield from deploy(engine, tmp_path)


@pytest.fixture
def name() -> str:
    """A name that nothing else has, so that tests can share a registry."""
    return f"n{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def pizzeria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the demo service, run by the fastmcp of this environment."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    log = tmp_path_factory.mktemp("demo") / "log"
    with log.open("wb") as output:
        demo = subprocess.Popen(
            [sys.executable, PROJECT / "Examples/demo_service.py", "--port", str(port)], stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + DEMO_START_SECONDS
        while not answers(url):
            assert demo.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield url
    finally:
        demo.kill()
        demo.wait()


def answers(url: str) -> bool:
    """Whether an HTTP server is there, whatever it says."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        pass
    except OSError:
        return False
    return True


@pytest.fixture
def endpoint(pizzeria: str, name: str) -> str:
    """The demo service under an address of its own: the registry takes each endpoint once."""
    return f"{pizzeria}?as={name}"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
