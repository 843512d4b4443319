"""The commands of `migrate` on one database, as an operator or a pipeline runs them."""

import json
import subprocess
from pathlib import Path

from registry import BINARY, environment
from server_database import ServerDatabase

SECONDS = 120


class Tool:
    """`mcp-registry migrate` with the migrations of a folder, or its own."""

    def __init__(self, folder: Path, url: str, migrations: Path | None = None) -> None:
        self.folder, self.url = folder, url
        self.options = ["--dir", str(migrations)] if migrations else []

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Starts a command; what it prints goes to pipes."""
        return subprocess.Popen(
            [BINARY, "migrate", *arguments, *self.options],
            cwd=self.folder,
            env=environment(DATABASE_URL=self.url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> str:
        """Runs a command that has to succeed; what it prints on standard output."""
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, f"{arguments} ended with {process.returncode}:\n{output}\n{errors}"
        return output

    def recover(self) -> None:
        """What an operator does who knows that the last run is dead and does not want to wait until its lock ends."""
        owner = json.loads(self.run("status", "--json"))["lock_owner"]
        if owner:
            self.run("unlock", "--owner", owner)
        self.run("up")
        self.run("verify")


def log_of(database: ServerDatabase) -> list[str]:
    """What the log says of the ends of runs, in order, without those that were cut off."""
    rows = database.sql(
        f"SELECT version, action, outcome FROM {database.name}.schema_migration_log "
        "WHERE outcome <> 'interrupted' ORDER BY finished_at, version"
    )
    return [" ".join(row) for row in rows]
