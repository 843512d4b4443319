"""What others on the machine can see of a running server: never a secret."""

import time
from pathlib import Path

from conftest import Start
from plain_service import plain_service


def test_no_core_is_written_and_no_secret_is_in_the_process_list_SQLite(start: Start) -> None:
    server = start()
    process = Path(f"/proc/{server.process.pid}")
    limits = (process / "limits").read_text()
    (core,) = [line.split() for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core[4:6] == ["0", "0"]
    filters = process / "coredump_filter"
    assert not filters.exists() or int(filters.read_text(), 16) == 0
    shown = (process / "cmdline").read_text() + (process / "comm").read_text()
    for thread in (process / "task").iterdir():
        shown += (thread / "comm").read_text()
    for secret in [*server.secrets, server.admin_token or "?"]:
        assert secret not in shown


def test_a_token_is_in_no_answer_but_its_release_and_in_no_log_or_audit_row_SQLite(start: Start, tmp_path: Path) -> None:
    server = start(LOG_LEVEL="trace")
    token = f"canary-token-{time.monotonic_ns()}"
    server.secrets.append(token)
    with plain_service() as url:
        server.add_protected_service("s", url)
    stored = server.http("POST", "/user_token", {"service_name": "s", "user_id": "u", "token": token})
    assert stored.status == 200 and token not in stored.text
    released = server.http("POST", "/token", {"service_name": "s", "user_id": "u"})
    assert released.json["token"] == token
    for path in ["/list_services", "/list_users", "/openapi.json", "/ready"]:
        assert token not in server.http("GET", path).text
    assert token not in str(server.done("list_user_tokens", user_id="u"))
    # The database file with its journal: rows of the audit log are in it, and the sealed token.
    for file in tmp_path.glob("registry.db*"):
        assert token.encode() not in file.read_bytes()
