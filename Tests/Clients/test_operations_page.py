"""What docs/operations.md says about settings is complete, and its commands for backups run as they are written."""

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from conftest import PROJECT
from plain_service import plain_service
from registry import Registry, command, kept, shell
from server_database import ServerDatabase

PAGE = (PROJECT / "docs/operations.md").read_text()
SECONDS = 60
# A backup of so little data can be quicker than a single write.
ATTEMPTS_MAX = 50
ADMIN_TOKEN = "t" * 40


def section(title: str) -> str:
    """What stands below a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(title)}$\n(.*?)(?=^#+ |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def blocks(title: str) -> list[str]:
    """The commands below a heading, block by block."""
    return re.findall(r"^```sh\n(.*?)^```$", section(title), re.DOTALL | re.MULTILINE)


class Writer:
    """A client that stores tokens of ever new users, and knows what was acknowledged."""

    def __init__(self, server: Registry) -> None:
        self.server, self.stored = server, 0
        self.goes_on, self.failed = True, False
        self.progress = Event()

    def store(self) -> None:
        user = {"user_id": f"u{self.stored}"}
        assert self.server.http("POST", "/register_user", user).status == 200
        token = user | {"service_name": "s", "token": f"token-{self.stored}"}
        assert self.server.http("POST", "/user_token", token).status == 200
        self.stored += 1
        self.progress.set()

    def write(self) -> None:
        try:
            while self.goes_on:
                self.store()
        except BaseException:
            self.failed = True
            raise

    def await_progress(self) -> None:
        """Waits for a write that began after this was called."""
        for _ in range(2):
            self.progress.clear()
            assert self.progress.wait(SECONDS), "nothing is written any more"


@contextmanager
def writing(server: Registry) -> Iterator[Writer]:
    """Writes all the time, from before the body until after it."""
    writer = Writer(server)
    thread = Thread(target=writer.write)
    thread.start()
    try:
        writer.await_progress()
        yield writer
        writer.await_progress()
    finally:
        writer.goes_on = False
        thread.join()
    assert not writer.failed


def settings(folder: Path, url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "REGISTRY_KEYRING_FILE": str(folder / "keyring"),
        "REGISTRY_ADMIN_TOKEN": ADMIN_TOKEN,
        "MCP_HOST": "127.0.0.1",
        "DISCOVERY_ALLOW_PRIVATE": "true",
    }


def server_on(folder: Path, url: str) -> AbstractContextManager[Registry]:
    return kept(Registry(folder, settings=settings(folder, url), secrets=[ADMIN_TOKEN]))


@contextmanager
def fresh_server(folder: Path, url: str) -> Iterator[Registry]:
    """A server on an empty database, with the service `s`."""
    ring = folder / "keyring"
    ring.touch(mode=0o600)
    ring.write_text(command(folder, "keys", "generate", "--ring").stdout)
    assert command(folder, "migrate", "up", DATABASE_URL=url).returncode == 0
    with server_on(folder, url) as server:
        with plain_service() as endpoint:
            server.add_protected_service("s", endpoint)
        yield server


def back_up(commands: str, folder: Path, server: Registry, **variables: str) -> int:
    """Makes a backup during which a client has written; how many tokens were acknowledged before."""
    with writing(server) as writer:
        for _ in range(ATTEMPTS_MAX):
            before = writer.stored
            shell(commands, folder, SECONDS, **variables)
            if writer.stored > before:
                return before
    raise AssertionError("nothing was written during any backup")


def assert_restored(folder: Path, url: str, stored: int) -> None:
    """All that was acknowledged before the backup is there, and can be opened; no change is there by half."""
    (checks,) = blocks("After a restore")
    assert checks.count("mcp-registry") == 3
    shell(checks, folder, SECONDS, **settings(folder, url))
    with server_on(folder, url) as server:
        users = [row["user"]["user_id"] for row in server.http("GET", "/list_users").json["users"]]
        assert len(users) >= stored
        for number in range(stored):
            answer = server.http("GET", f"/token?service_name=s&user_id=u{number}")
            assert answer.status == 200 and answer.json["token"] == f"token-{number}", answer
        server.done("create_role", role_name="after the restore")


def test_a_backup_made_under_load_is_restored_SQLite(tmp_path: Path) -> None:
    backup, restore = blocks("SQLite")
    url = "sqlite:///./registry.db"
    with fresh_server(tmp_path, url) as server:
        stored = back_up(backup, tmp_path, server)
    shell(restore, tmp_path, SECONDS)
    assert_restored(tmp_path, url, stored)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ServerDatabase]:
    database = ServerDatabase(tmp_path, os.environ["TEST_MARIADB_URL"])
    yield database
    database.drop()


@pytest.mark.parametrize("engine", ["MariaDB"])
def test_a_backup_made_under_load_is_restored(engine: str, database: ServerDatabase, tmp_path: Path) -> None:
    backup, restore = blocks("MariaDB and MySQL")
    options = tmp_path / "backup.cnf"
    options.touch(mode=0o600)
    options.write_text(f"{database.options.read_text()}host=127.0.0.1\nport={database.port()}\n")
    with fresh_server(tmp_path, database.url()) as server:
        stored = back_up(backup, tmp_path, server, DATABASE=database.name)
    restored = f"{database.name}_restored"
    shell(restore, tmp_path, SECONDS, RESTORED=restored)
    try:
        assert_restored(tmp_path, database.url().replace(database.name, restored), stored)
    finally:
        database.sql(f"DROP DATABASE {restored}")


def test_every_setting_stands_in_the_table() -> None:
    header = re.search(
        r"^/// ## Configuration keys\n(.*?)^struct ",
        (PROJECT / "Sources/Server/ServerConfiguration.swift").read_text(),
        re.DOTALL | re.MULTILINE,
    )
    assert header
    bullets = [line for line in header[1].splitlines() if line.startswith("/// - ")]
    known = {key for line in bullets for key in re.findall(r"`([A-Z]+_[A-Z_]*[A-Z])`", line.partition(":")[0])}
    assert len(known) > 20
    rows = [line.split("|")[1] for line in section("Settings").splitlines() if line.startswith("| `")]
    listed = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert known <= listed, f"docs/operations.md does not tell of {known - listed}"


def test_every_link_of_the_page_leads_somewhere() -> None:
    titles = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    headings = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    for path, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", PAGE):
        assert not path or (PROJECT / "docs" / path).exists(), path
        assert path or anchor in headings, anchor
