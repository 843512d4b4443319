"""Keys are rotated on MariaDB while three servers with different rings serve load and the tool is killed: no row is lost, and no
answer is wrong."""

import json
import os
import random
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from plain_service import plain_service
from registry import BINARY, Registry, command, environment, exchange
from server_database import ServerDatabase

USERS, READERS, KILLS = 120, 3, 8
SERVICE = "vault"


class Load:
    """Writers that each own some users, and readers; every answer is compared with what was acknowledged."""

    def __init__(self, servers: list[Registry]) -> None:
        self.servers = servers
        self.stop = threading.Event()
        self.lock = threading.Lock()
        # What a user's token may be: the last one that was acknowledged, and those whose answer is still to come.
        self.tokens: dict[str, set[str]] = {}
        self.wrong: list[str] = []
        self.answers = 0

    def store(self, user: str) -> None:
        token = f"canary-{uuid.uuid4().hex}"
        with self.lock:
            self.tokens.setdefault(user, set()).add(token)
        body = {"service_name": SERVICE, "user_id": user, "token": token}
        answer = random.choice(self.servers).http("POST", "/user_token", body)
        if answer.status != 200:
            self.complain(f"storing: {answer}")
            return
        with self.lock:
            self.tokens[user] = {token}

    def complain(self, what: str) -> None:
        with self.lock:
            self.wrong.append(what)

    def write(self, users: list[str]) -> None:
        while not self.stop.is_set():
            self.store(random.choice(users))
            time.sleep(0.01)

    def read(self) -> None:
        connections = [(server, server.connect()) for server in self.servers]
        while not self.stop.is_set():
            server, connection = random.choice(connections)
            user = random.choice(list(self.tokens))
            with self.lock:
                before = set(self.tokens[user])
            body = {"service_name": SERVICE, "user_id": user}
            answer = exchange(connection, "POST", "/token", body, **server.authorization())
            with self.lock:
                self.answers += 1
                allowed = before | self.tokens[user]
            if answer.status != 200 or answer.json["token"] not in allowed:
                self.complain(f"reading {user}: {answer.status} {answer.text[:200]}")
        for _, connection in connections:
            connection.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ServerDatabase]:
    database = ServerDatabase(tmp_path, os.environ["TEST_MARIADB_URL"])
    yield database
    database.drop()


def test_no_row_is_lost_and_no_answer_wrong_while_rewrap_is_killed_MariaDB(
    tmp_path: Path, database: ServerDatabase
) -> None:
    old, new, third = (command(tmp_path, "keys", "generate").stdout.strip() for _ in range(3))
    settings = {
        "DATABASE_URL": database.url(),
        "REGISTRY_ADMIN_TOKEN": f"canary-admin-{uuid.uuid4().hex}",
        "MCP_HOST": "127.0.0.1",
        "DISCOVERY_ALLOW_PRIVATE": "true",
        "RATE_LIMIT": "0",
    }
    before = json.dumps({"active": 1, "keys": {"1": old}})
    rings = [
        {"active": 1, "keys": {"1": old, "2": new}},
        {"active": 2, "keys": {"2": new, "1": old}},
        {"active": 1, "keys": {"1": old, "2": new, "3": third}},
    ]
    both = settings | {"REGISTRY_KEYRING": json.dumps(rings[0])}
    assert command(tmp_path, "migrate", "up", **settings).returncode == 0
    servers: list[Registry] = []
    try:
        # What is there before the rotation was sealed by a server that knows the old key only.
        first = Registry(tmp_path, settings=settings | {"REGISTRY_KEYRING": before}, secrets=[old, new, third])
        servers.append(first)
        load = Load([first])
        users = [f"user-{number}" for number in range(USERS)]
        with plain_service() as url:
            first.add_protected_service(SERVICE, url)
        for user in users:
            load.store(user)
        first.stop()
        servers = [
            Registry(tmp_path, settings=settings | {"REGISTRY_KEYRING": json.dumps(ring)}, secrets=[old, new, third])
            for ring in rings
        ]
        load.servers = servers
        threads = [threading.Thread(target=load.write, args=[users[start::4]]) for start in range(2)]
        threads += [threading.Thread(target=load.read) for _ in range(READERS)]
        for thread in threads:
            thread.start()
        try:
            rotate(tmp_path, both)
        finally:
            load.stop.set()
            for thread in threads:
                thread.join()
        assert load.wrong == []
        assert load.answers > 100
        for user in users:
            answer = random.choice(servers).http("POST", "/token", {"service_name": SERVICE, "user_id": user})
            assert answer.status == 200 and {answer.json["token"]} == load.tokens[user], answer
        # With the new key alone everything can still be read.
        retired = command(tmp_path, "keys", "retire", "1", **both)
        assert retired.returncode == 0, retired
        for server in servers:
            server.stop()
        only = Registry(
            tmp_path,
            settings=settings | {"REGISTRY_KEYRING": json.dumps({"active": 2, "keys": {"2": new}})},
            secrets=[old, new, third],
        )
        servers = [only]
        for user in users:
            answer = only.http("POST", "/token", {"service_name": SERVICE, "user_id": user})
            assert answer.status == 200 and {answer.json["token"]} == load.tokens[user], answer
        only.stop()
        verified = command(tmp_path, "audit", "verify", **settings)
        assert verified.returncode == 0, verified
        print(f"{load.answers} tokens read under load, 0 wrong; {KILLS} kills")
    finally:
        for server in servers:
            server.process.kill()
            server.process.wait()


def rotate(folder: Path, settings: dict[str, str]) -> None:
    """Promotes key 2, and seals everything anew with it: killed some times, then two at once to the end."""
    promoted = command(folder, "keys", "promote", "2", **settings)
    assert promoted.returncode == 0, promoted
    rewrap = [BINARY, "keys", "rewrap", "--from", "1", "--batch", "5"]
    for kill in range(KILLS):
        tool = start([*rewrap, "--rate", "20"], folder, settings)
        try:
            tool.wait(0.4 + random.random())
        except subprocess.TimeoutExpired:
            pass
        tool.kill()
        tool.wait()
    last = [start(rewrap, folder, settings) for _ in range(2)]
    for tool in last:
        assert tool.wait(60) == 0
    status = command(folder, "keys", "status", "--json", **settings)
    assert status.returncode == 0, status
    rows = {key["id"]: key["rows"] for key in json.loads(status.stdout)["keys"]}
    assert rows[1] == 0 and rows[2] >= USERS, status


def start(arguments: list[str | Path], folder: Path, settings: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
