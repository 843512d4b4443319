"""The database server is killed with SIGKILL while a table is migrated."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from failures import migrations, throw_away
from failures.tool import SECONDS, Tool, log_of
from server_database import ServerDatabase


@contextmanager
def killed_during_an_alter(
    folder: Path,
) -> Iterator[tuple[throw_away.MariaDB, ServerDatabase, Tool, "subprocess.Popen[str]"]]:
    """A server that has just been killed, its database, the tool, and the run that was in the middle of an ALTER there."""
    with throw_away.mariadb(folder / "server") as server:
        database = ServerDatabase(folder, server.url)
        tool = Tool(folder, database.url(), migrations.write(folder / "migrations", migrations.BIG))
        tool.run("up", "--to", "1")
        run = tool.start("up")
        migrations.await_alter(database)
        server.kill()
        yield server, database, tool, run


def test_a_run_whose_server_dies_in_the_middle_of_an_alter_goes_on_when_it_is_back_MariaDB(tmp_path: Path) -> None:
    with killed_during_an_alter(tmp_path) as (server, database, tool, run):
        server.start()
        _, errors = run.communicate(timeout=SECONDS)
        assert run.returncode == 0, errors
        assert "the connection was lost, connecting again" in errors
        assert migrations.big_table(database) == migrations.BIG_AFTER
        assert log_of(database) == ["1 up done", "2 up done"]
        tool.run("verify")


def test_a_run_whose_server_stays_away_ends_with_8_and_the_next_one_goes_on_MariaDB(tmp_path: Path) -> None:
    with killed_during_an_alter(tmp_path) as (server, database, tool, run):
        _, errors = run.communicate(timeout=SECONDS)
        assert run.returncode == 8, errors
        server.start()
        tool.recover()
        assert migrations.big_table(database) == migrations.BIG_AFTER
        assert log_of(database) == ["1 up done", "2 up done"]
