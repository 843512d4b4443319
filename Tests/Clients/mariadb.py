"""Throw-away databases on the server that TEST_MARIADB_URL names."""

import os
import subprocess
import uuid
from pathlib import Path
from urllib.parse import urlsplit


class MariaDBDatabase:
    """An empty database that nobody else uses."""

    def __init__(self, folder: Path) -> None:
        self.server = urlsplit(os.environ["TEST_MARIADB_URL"])
        self.name = f"registry_{uuid.uuid4().hex}"
        self.options = folder / f"{self.name}.cnf"
        self.options.touch(mode=0o600)
        self.options.write_text(
            f"[client]\nhost={self.server.hostname}\nport={self.server.port}\n"
            f"user={self.server.username}\npassword={self.server.password}\n"
        )
        # latin1 on purpose: the schema has to name its own character set.
        self.sql(f"CREATE DATABASE {self.name} CHARACTER SET latin1")

    def url(self, scheme: str = "mysql") -> str:
        """The DATABASE_URL of this database."""
        return f"{scheme}://{self.server.netloc}/{self.name}"

    def sql(self, statement: str) -> list[list[str]]:
        """Runs a statement; the rows as text. The password goes through a file, not through a command line."""
        program = ["mariadb", f"--defaults-file={self.options}", "--batch", "--skip-column-names"]
        done = subprocess.run(
            [*program, f"--execute={statement}"], capture_output=True, text=True, errors="replace", check=False
        )
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def dump(self) -> str:
        """Every value of every table, as text and in hexadecimal."""
        parts = []
        for table, column in self.sql(
            f"SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '{self.name}'"
        ):
            values = self.sql(f"SELECT `{column}`, HEX(`{column}`) FROM {self.name}.`{table}`")
            parts += [f"{table}.{column}: {' '.join(value)}" for value in values]
        return "\n".join(parts)

    def drop(self) -> None:
        self.sql(f"DROP DATABASE {self.name}")
        self.options.unlink()
