"""The commands of docs/migrations.md run as they are written."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import PROJECT
from registry import shell
from server_database import ServerDatabase

PAGE = (PROJECT / "docs/migrations.md").read_text()
SECONDS = 120


def jobs() -> list[list[str]]:
    """The program's commands in each job for a pipeline."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return [re.findall(r"^ +- (?:run: )?(mcp-registry .*)$", block, re.MULTILINE) for block in blocks]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ServerDatabase]:
    database = ServerDatabase(tmp_path, os.environ["TEST_MARIADB_URL"])
    yield database
    database.drop()


def test_the_first_commands_run_on_a_database_that_is_not_there_yet_SQLite(tmp_path: Path) -> None:
    block = re.search(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert block and block[1].count("mcp-registry migrate") >= 8
    shell(block[1], tmp_path, SECONDS)


@pytest.mark.parametrize("job", range(2), ids=["GitHub-MariaDB", "GitLab-MariaDB"])
def test_the_jobs_for_pipelines_run(job: int, database: ServerDatabase) -> None:
    commands = jobs()[job]
    assert [command.split()[2] for command in commands] == ["lint", "wait", "up", "diff", "down", "up", "status"]
    shell("\n".join(commands), PROJECT, SECONDS, DATABASE_URL=database.url())
