"""Throw-away databases on a server that speaks the MySQL protocol: MariaDB, a Galera cluster or MySQL."""

import subprocess
import uuid
from pathlib import Path
from urllib.parse import urlsplit


class ServerDatabase:
    """An empty database that nobody else uses."""

    def __init__(self, folder: Path, url: str) -> None:
        """Makes it on a server: `mysql://user:password@host:port/`, the nodes of a cluster separated by commas."""
        parts = urlsplit(url)
        self.password = parts.password or ""
        credentials, _, hosts = parts.netloc.rpartition("@")
        self.nodes = hosts.split(",")
        self.credentials = credentials
        self.name = f"registry_{uuid.uuid4().hex}"
        self.options = folder / f"{self.name}.cnf"
        self.options.touch(mode=0o600)
        self.options.write_text(f"[client]\nuser={parts.username}\npassword={self.password}\n")
        # latin1 on purpose: the schema has to name its own character set.
        self.sql(f"CREATE DATABASE {self.name} CHARACTER SET latin1")

    def url(self, scheme: str = "mysql", first: int = 0) -> str:
        """The DATABASE_URL of this database, the nodes from `first` on and then those before it."""
        return f"{scheme}://{self.credentials}@{','.join(self.nodes[first:] + self.nodes[:first])}/{self.name}"

    def url_at(self, port: int) -> str:
        """The DATABASE_URL of this database behind another port of the loopback interface."""
        return f"mysql://{self.credentials}@127.0.0.1:{port}/{self.name}"

    def port(self, node: int = 0) -> int:
        return int(self.nodes[node].rpartition(":")[2])

    def client(self, node: int = 0) -> list[str]:
        """The command that speaks SQL to a node. The password goes through a file, not through a command line."""
        address = ["--protocol=tcp", "--host=127.0.0.1", f"--port={self.port(node)}"]
        return ["mariadb", f"--defaults-file={self.options}", *address, "--batch", "--skip-column-names"]

    def sql(self, statement: str, node: int = 0) -> list[list[str]]:
        """Runs a statement; the rows as text."""
        done = subprocess.run(
            [*self.client(node), f"--execute={statement}"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
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
