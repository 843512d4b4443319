"""Migrations on a Galera cluster of three nodes (TEST_GALERA_URL, TEST_GALERA_DIR)."""

import os
from pathlib import Path

from failures import migrations
from failures.throw_away import script
from failures.tool import SECONDS, Tool, log_of
from server_database import ServerDatabase

NODES = 3
TOOLS = 5
RACES = 5


def test_five_runs_at_once_through_three_nodes_apply_each_migration_once(
    database: ServerDatabase, tmp_path: Path
) -> None:
    for race in range(RACES):
        database.sql(f"DROP DATABASE {database.name}; CREATE DATABASE {database.name} CHARACTER SET latin1")
        tools = [Tool(tmp_path, database.url(first=index % NODES)) for index in range(TOOLS)]
        runs = [tool.start("up") for tool in tools]
        for run in runs:
            _, errors = run.communicate(timeout=SECONDS)
            assert run.returncode == 0, f"race {race}: {errors}"
        latest = max(int(line.split()[0]) for line in log_of(database))
        assert log_of(database) == [f"{version} up done" for version in range(1, latest + 1)], race
        for tool in tools[:NODES]:
            tool.run("status", "--exit-code")
            tool.run("verify")
            assert tool.run("dump") == tools[0].run("dump")


def test_a_run_whose_node_dies_in_the_middle_of_an_alter_goes_on_through_another_node(
    database: ServerDatabase, tmp_path: Path
) -> None:
    cluster = os.environ["TEST_GALERA_DIR"]
    tool = Tool(tmp_path, database.url(), migrations.write(tmp_path / "migrations", migrations.BIG))
    tool.run("up", "--to", "1")
    run = tool.start("up")
    migrations.await_alter(database)
    script("galera", "kill", cluster, "1")
    try:
        _, errors = run.communicate(timeout=SECONDS)
    finally:
        script("galera", "start-node", cluster, "1")
    assert run.returncode == 0, errors
    assert "the connection was lost, connecting again" in errors
    assert log_of(database) == ["1 up done", "2 up done"]
    for node in range(NODES):
        assert migrations.big_table(database, node) == migrations.BIG_AFTER, f"node {node + 1}"
