"""How the program starts, what it demands, and how it ends."""

import http.client
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import Deployment
from registry import BINARY, Registry, command

EXIT_CODES = range(1, 10)  # of a command that says what is wrong; a crash has others
OPEN_PATHS = ["/health", "/ready"]
CLOSED_PATHS = ["/list_services", "/list_users", "/token?service_name=s&user_id=u"]


@pytest.fixture
def key(tmp_path: Path) -> str:
    return command(tmp_path, "keys", "generate").stdout.strip()


@pytest.fixture
def settings(tmp_path: Path, key: str) -> dict[str, str]:
    """All that `serve` needs, on a migrated SQLite file."""
    url = f"sqlite:///{tmp_path}/registry.db"
    migrated = command(tmp_path, "migrate", "up", DATABASE_URL=url)
    assert migrated.returncode == 0, migrated
    token = "t" * 40
    return {"DATABASE_URL": url, "REGISTRY_KEY": key, "REGISTRY_ADMIN_TOKEN": token, "MCP_HOST": "127.0.0.1"}


def test_a_copy_of_the_binary_alone_migrates_and_serves(tmp_path: Path) -> None:
    binary = Path(shutil.copy2(BINARY, tmp_path / "registry"))
    key = command(tmp_path, "keys", "generate", binary=binary).stdout.strip()
    settings = {"DATABASE_URL": "sqlite:///./alone.db", "REGISTRY_KEY": key, "REGISTRY_ADMIN_TOKEN": "t" * 40}
    migrated = command(tmp_path, "migrate", "up", binary=binary, **settings)
    assert migrated.returncode == 0, migrated
    server = Registry(tmp_path, "--host", "127.0.0.1", settings=settings, secrets=[key], binary=binary)
    server.done("create_role", role_name="r")
    server.stop()


def test_a_restart_keeps_everything(tmp_path: Path, settings: dict[str, str], key: str) -> None:
    for expected in [["r1"], ["r1", "r2"]]:
        server = Registry(tmp_path, settings=settings, secrets=[key])
        server.done("create_role", role_name=expected[-1])
        assert [role["name"] for role in server.done("list_roles")] == expected
        server.stop()
        assert not (tmp_path / "registry.db-wal").exists(), "the database was not closed"


@pytest.mark.parametrize("missing", ["REGISTRY_ADMIN_TOKEN", "REGISTRY_KEY"])
def test_serve_says_what_is_missing(tmp_path: Path, settings: dict[str, str], missing: str) -> None:
    refused = command(tmp_path, "serve", "--port", "0", **(settings | {missing: ""}))
    assert refused.returncode in EXIT_CODES
    assert missing in refused.stderr


def test_serve_creates_no_schema(tmp_path: Path, settings: dict[str, str]) -> None:
    (tmp_path / "empty.db").touch()
    refused = command(tmp_path, "serve", "--port", "0", **(settings | {"DATABASE_URL": "sqlite:///./empty.db"}))
    assert refused.returncode in EXIT_CODES
    assert "migrate up" in refused.stderr


def test_serve_creates_no_database(tmp_path: Path, settings: dict[str, str]) -> None:
    refused = command(tmp_path, "serve", "--port", "0", **(settings | {"DATABASE_URL": "sqlite:///./none.db"}))
    assert refused.returncode in EXIT_CODES
    assert "none.db" in refused.stderr
    assert not (tmp_path / "none.db").exists()


def test_an_unreachable_database_is_named_without_its_password(tmp_path: Path, settings: dict[str, str]) -> None:
    unreachable = settings | {"DATABASE_URL": "mysql://user:password-in-url@127.0.0.1:1/registry"}
    for arguments in [["serve", "--port", "0"], ["migrate", "up"], ["migrate", "status"]]:
        refused = command(tmp_path, *arguments, **unreachable)
        assert refused.returncode in EXIT_CODES, arguments
        assert "127.0.0.1:1" in refused.stderr
        assert "password-in-url" not in refused.stderr + refused.stdout


def test_a_port_that_is_taken_is_an_error(tmp_path: Path, settings: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = command(tmp_path, "serve", "--port", str(taken.getsockname()[1]), **settings)
    assert refused.returncode in EXIT_CODES
    assert "in use" in refused.stderr


@pytest.mark.parametrize("name, value", [("MCP_PORT", "80x"), ("DATABASE_URL", "postgresql://u:p@h/d")])
def test_a_malformed_setting_stops_the_start(tmp_path: Path, settings: dict[str, str], name: str, value: str) -> None:
    refused = command(tmp_path, "serve", **(settings | {name: value}))
    assert refused.returncode in EXIT_CODES
    assert name in refused.stderr


def test_dev_serves_loopback_only(tmp_path: Path) -> None:
    refused = command(tmp_path, "serve", "--dev", "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode in EXIT_CODES
    assert "loopback" in refused.stderr


def test_dev_makes_its_files_and_says_so(tmp_path: Path) -> None:
    server = Registry(tmp_path, "--dev")
    assert (tmp_path / "dev.db").exists()
    keyring = tmp_path / ".dev-keyring.json"
    assert keyring.stat().st_mode & 0o777 == 0o600
    server.stop()
    before = keyring.read_text()
    server = Registry(tmp_path, "--dev")
    server.stop()
    assert keyring.read_text() == before, "a second start keeps the keys"


def test_everything_but_health_and_readiness_needs_the_admin_token(tmp_path: Path, settings: dict[str, str]) -> None:
    server = Registry(tmp_path, settings=settings)
    for path in OPEN_PATHS:
        assert server.http("GET", path, Authorization="").status == 200
    wrong = dict.fromkeys(["", "Bearer wrong", "Basic " + "t" * 40, "Bearer " + "t" * 41, "Bearer " + "t" * 39], 401)
    # RFC 6750 section 3.1: a malformed request is refused as such.
    wrong |= dict.fromkeys(["Bearer", "Bearer "], 400)
    for authorization, status in wrong.items():
        for path in CLOSED_PATHS:
            answer = server.http("GET", path, Authorization=authorization)
            assert answer.status == status, (path, authorization)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        answer = server.http("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "ping"}, Authorization=authorization)
        assert answer.status == status
    assert server.http("GET", "/list_services").status == 200
    server.stop()


def test_a_foreign_origin_is_refused(tmp_path: Path, settings: dict[str, str]) -> None:
    server = Registry(tmp_path, settings=settings)
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert server.http("POST", "/mcp", ping, Origin="http://evil.example").status == 403
    assert server.http("POST", "/mcp", ping).status == 200
    server.stop()


def test_it_ends_in_time_with_idle_and_half_open_connections(tmp_path: Path, settings: dict[str, str]) -> None:
    server = Registry(tmp_path, settings=settings)
    idle = server.connect()
    port = idle.sock.getpeername()[1]
    with socket.create_connection(("127.0.0.1", port)) as half_open:
        half_open.sendall(b"POST /role_for_user HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        server.stop()
    with pytest.raises((OSError, http.client.HTTPException)):
        server.connect()
    idle.close()


def test_what_one_process_writes_the_other_answers_at_once(fresh: Deployment) -> None:
    for number in range(20):
        writer, reader = fresh.servers[number % len(fresh.servers)], fresh.servers[(number + 1) % len(fresh.servers)]
        writer.done("create_role", role_name=f"role {number}")
        assert f"role {number}" in [role["name"] for role in reader.done("list_roles")]


def test_simultaneous_requests_through_both_processes_do_each_thing_once(fresh: Deployment) -> None:
    def ask(number: int) -> tuple[int, bool]:
        server = fresh.servers[number % len(fresh.servers)]
        created = server.call("create_role", role_name="the one")
        answer = server.http("POST", "/register_user", {"user_id": "the user"})
        return answer.status, not created.get("isError", False)

    with ThreadPoolExecutor(30) as threads:
        answers = list(threads.map(ask, range(30)))
    assert [status for status, _ in answers] == [200] * 30
    assert sum(created for _, created in answers) == 1
    assert len(fresh.first.http("GET", "/list_users").json["users"]) == 1
