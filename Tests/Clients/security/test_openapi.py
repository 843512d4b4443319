"""schemathesis against the OpenAPI document: no answer but those it promises, and never a 5xx."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Start

SECONDS = 60
EXAMPLES = 60
# An end that has passed is refused, which no schema can say.
PAST_ENDS = "/user_token"
# What a message of MCP must be is said by MCP, and checked by the suites interop and wire.
MCP = "/mcp"


def examine(url: str, token: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            *("run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {token}"),
            *("--max-examples", str(EXAMPLES), "--max-time", str(SECONDS), "--phases", "coverage,fuzzing"),
            *("--seed", "7", "--continue-on-failure", "--no-color", *arguments),
        ],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS * 3,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--checks", "all", "--exclude-path", MCP, "--exclude-path", PAST_ENDS],
        ["--checks", "all", "--exclude-checks", "positive_data_acceptance", "--include-path", PAST_ENDS],
        [
            *("--checks", "not_a_server_error,status_code_conformance,ignored_auth,unsupported_method"),
            *("--include-path", MCP),
        ],
    ],
    ids=["routes", "user_token", "mcp"],
)
def test_answers_are_those_of_the_document_SQLite(start: Start, tmp_path: Path, arguments: list[str]) -> None:
    server = start(RATE_LIMIT="0", FAILED_LOGIN_LIMIT="0")
    server.done("create_role", role_name="0")
    assert server.http("POST", "/register_user", {"user_id": "0", "role_name": "0"}).status == 200
    assert server.admin_token
    told = examine(server.url, server.admin_token, tmp_path, *arguments)
    count = re.search(r"(\d+) generated", told)
    assert count and int(count[1]) >= 100, told
    assert server.http("GET", "/ready").status == 200
