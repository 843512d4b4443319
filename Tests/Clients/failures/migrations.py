"""Migrations whose statements show when one of them runs twice, or not at all."""

import time
from pathlib import Path

from server_database import ServerDatabase

# The sum tells which of the updates ran, and how often.
UP = {
    "0001_counted": [
        "CREATE TABLE counted (id INTEGER NOT NULL PRIMARY KEY, n INTEGER NOT NULL)",
        "INSERT INTO counted VALUES (1, 0)",
        "ALTER TABLE counted ADD COLUMN extra INTEGER",
        "UPDATE counted SET n = n + 1",
        "CREATE INDEX counted_extra ON counted (extra)",
    ],
    "0002_more": ["UPDATE counted SET n = n + 10", "CREATE TABLE more (id INTEGER NOT NULL PRIMARY KEY)"],
}
SUM = 11

# A table so big that copying it takes a while, and an ALTER that copies it.
BIG_ROWS = 2**18
BIG = {
    "0001_big": [
        "CREATE TABLE big (id INTEGER NOT NULL PRIMARY KEY, payload VARCHAR(200) NOT NULL)",
        "INSERT INTO big VALUES (0, REPEAT('x', 200))",
        *(f"INSERT INTO big SELECT id + {2**power}, payload FROM big" for power in range(18)),
    ],
    "0002_alter": [
        "ALTER TABLE big ADD COLUMN added INTEGER NOT NULL DEFAULT 7, ALGORITHM=COPY",
        "ALTER TABLE big ADD COLUMN later INTEGER",
        "UPDATE big SET later = COALESCE(later, 0) + 1 WHERE id < 100",
    ],
}
BIG_AFTER = [[str(BIG_ROWS), "7", "1", "100"]]
ALTER_SECONDS = 60


def write(folder: Path, ups: dict[str, list[str]] | None = None) -> Path:
    """Writes the folder for `--dir`."""
    for name, statements in (ups or UP).items():
        (folder / name).mkdir(parents=True)
        (folder / name / "up.sql").write_text("-- phase: expand\n" + ";\n".join(statements) + ";\n")
        (folder / name / "down.sql").write_text("DELETE FROM counted;\n")
    return folder


def await_alter(database: ServerDatabase, node: int = 0) -> None:
    """Waits until the server copies the table."""
    deadline = time.monotonic() + ALTER_SECONDS
    running = f"SELECT id FROM information_schema.processlist WHERE db = '{database.name}' AND info LIKE 'ALTER TABLE big%'"
    while not database.sql(running, node):
        assert time.monotonic() < deadline, "the ALTER never ran"


def big_table(database: ServerDatabase, node: int = 0) -> list[list[str]]:
    """What `BIG_AFTER` is compared with."""
    return database.sql(f"SELECT COUNT(*), MIN(added), MAX(later), COUNT(later) FROM {database.name}.big", node)
