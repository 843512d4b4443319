"""The key ring of a running server: read again from its file and from a command, and never taken for worse."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from plain_service import plain_service
from registry import Registry, command

SECONDS = 20
TOKEN = "correct-horse-battery-staple"


class Ring:
    """A ring in a file, changed as tools do: a new file in the place of the old one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "ring.json"
        self.keys = [command(folder, "keys", "generate").stdout.strip() for _ in range(2)]

    def write(self, active: int, count: int, mode: int = 0o600) -> None:
        self.put(json.dumps({"active": active, "keys": {str(i + 1): self.keys[i] for i in range(count)}}), mode)

    def put(self, text: str, mode: int = 0o600) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(text)
        fresh.chmod(mode)
        os.replace(fresh, self.file)


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    ring = Ring(tmp_path)
    ring.write(1, 1)
    return ring


def settings(**more: str) -> dict[str, str]:
    return {"DATABASE_URL": "sqlite:///./registry.db", "REGISTRY_ADMIN_TOKEN": TOKEN, "MCP_HOST": "127.0.0.1"} | more


def serve(ring: Ring, body: Callable[[Registry], None], **more: str) -> None:
    assert command(ring.folder, "migrate", "up", **settings()).returncode == 0
    server = Registry(ring.folder, settings=settings(DISCOVERY_ALLOW_PRIVATE="true", **more), secrets=ring.keys)
    try:
        with plain_service() as url:
            server.add_protected_service("s", url)
        store(server, "before")
        body(server)
        server.stop()
    finally:
        server.process.kill()
        server.process.wait()


def store(server: Registry, user: str) -> None:
    stored = server.http("POST", "/user_token", {"service_name": "s", "user_id": user, "token": f"token-of-{user}"})
    assert stored.status == 200, stored


def read(server: Registry, user: str) -> str:
    return server.http("POST", "/token", {"service_name": "s", "user_id": user}).json["token"]


def rows(ring: Ring) -> dict[int, int]:
    status = command(ring.folder, "keys", "status", "--json", **settings(REGISTRY_KEYRING=ring.file.read_text()))
    assert status.returncode == 0, status
    return {key["id"]: key["user_tokens"] for key in json.loads(status.stdout)["keys"]}


def await_log(server: Registry, text: str) -> None:
    deadline = time.monotonic() + SECONDS
    while text not in server.output():
        assert time.monotonic() < deadline, server.output()
        time.sleep(0.05)


@pytest.mark.parametrize("signalled", [True, False], ids=["SIGHUP", "changed"])
def test_a_new_ring_in_the_file_is_taken_up_without_a_restart_SQLite(ring: Ring, signalled: bool) -> None:
    def body(server: Registry) -> None:
        ring.write(2, 2)
        if signalled:
            server.process.send_signal(signal.SIGHUP)
        await_log(server, "the key ring was read again")
        store(server, "after")
        assert [read(server, user) for user in ("before", "after")] == ["token-of-before", "token-of-after"]
        assert rows(ring) == {1: 1, 2: 1}

    serve(ring, body, REGISTRY_KEYRING_FILE=str(ring.file))


def test_a_ring_from_a_command_is_taken_up_on_SIGHUP_SQLite(ring: Ring) -> None:
    def body(server: Registry) -> None:
        ring.write(2, 2)
        server.process.send_signal(signal.SIGHUP)
        await_log(server, "the key ring was read again")
        store(server, "after")
        assert rows(ring) == {1: 1, 2: 1}

    serve(ring, body, REGISTRY_KEYRING_COMMAND=f"cat '{ring.file}'")


@pytest.mark.parametrize("wrong", ["no ring", "another key", "open to all"])
def test_a_ring_that_can_not_be_used_leaves_the_one_before_SQLite(ring: Ring, wrong: str) -> None:
    def body(server: Registry) -> None:
        if wrong == "no ring":
            ring.put("{")
        elif wrong == "another key":
            ring.put(json.dumps({"active": 1, "keys": {"1": ring.keys[1]}}))
        else:
            ring.write(2, 2, mode=0o644)
        server.process.send_signal(signal.SIGHUP)
        await_log(server, "the new key ring can't be used; the one before stays in use")
        store(server, "after")
        assert [read(server, user) for user in ("before", "after")] == ["token-of-before", "token-of-after"]

    serve(ring, body, REGISTRY_KEYRING_FILE=str(ring.file))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"REGISTRY_KEYRING_COMMAND": "exit 3"}, "REGISTRY_KEYRING_COMMAND ended with 3"),
        ({"REGISTRY_KEYRING_COMMAND": "true"}, "REGISTRY_KEYRING_COMMAND printed nothing"),
        ({"REGISTRY_KEYRING_COMMAND": "echo canary"}, "REGISTRY_KEYRING_COMMAND is not valid JSON"),
        ({"REGISTRY_KEYRING_COMMAND": "true", "REGISTRY_KEY": "x"}, "are both set: use one"),
    ],
    ids=["fails", "silent", "nonsense", "twice"],
)
def test_a_start_with_a_command_that_gives_no_ring_says_why_SQLite(
    tmp_path: Path, more: dict[str, str], told: str
) -> None:
    ended = command(tmp_path, "serve", **settings(**more))
    assert ended.returncode == 2 and told in ended.stderr and "canary" not in ended.stderr, ended


def test_a_key_file_that_everybody_may_read_is_refused_SQLite(ring: Ring) -> None:
    ring.write(1, 1, mode=0o644)
    ended = command(ring.folder, "serve", **settings(REGISTRY_KEYRING_FILE=str(ring.file)))
    assert ended.returncode == 2 and f"run chmod o= {ring.file}" in ended.stderr, ended


def test_a_command_that_is_run_again_gets_none_of_the_server_s_secrets_SQLite(ring: Ring) -> None:
    seen = ring.folder / "environment"

    def body(server: Registry) -> None:
        seen.unlink()
        server.process.send_signal(signal.SIGHUP)
        await_log(server, "the key ring was read again")
        assert TOKEN not in seen.read_text() and "PATH=" in seen.read_text()

    serve(ring, body, REGISTRY_KEYRING_COMMAND=f"env > '{seen}'; cat '{ring.file}'")
