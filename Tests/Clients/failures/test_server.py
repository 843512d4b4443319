"""The database server is killed with SIGKILL while a table is migrated."""

from pathlib import Path

from failures import migrations, throw_away
from failures.tool import SECONDS, Tool, log_of
from server_database import ServerDatabase


def test_a_run_whose_server_dies_in_the_middle_of_an_alter_goes_on_when_it_is_back_MariaDB(tmp_path: Path) -> None:
    with throw_away.mariadb(tmp_path / "server") as server:
        database = ServerDatabase(tmp_path, server.url)
        tool = Tool(tmp_path, database.url(), migrations.write(tmp_path / "migrations", migrations.BIG))
        tool.run("up", "--to", "1")
        run = tool.start("up")
        migrations.await_alter(database)
        server.kill()
        server.start()
        _, errors = run.communicate(timeout=SECONDS)
        assert run.returncode == 0, errors
        assert "the connection was lost, connecting again" in errors
        assert migrations.big_table(database) == migrations.BIG_AFTER
        assert log_of(database) == ["1 up done", "2 up done"]
        tool.run("verify")


def test_a_run_whose_server_stays_away_ends_with_8_and_the_next_one_goes_on_MariaDB(tmp_path: Path) -> None:
    with throw_away.mariadb(tmp_path / "server") as server:
        database = ServerDatabase(tmp_path, server.url)
        tool = Tool(tmp_path, database.url(), migrations.write(tmp_path / "migrations", migrations.BIG))
        tool.run("up", "--to", "1")
        run = tool.start("up")
        migrations.await_alter(database)
        server.kill()
        _, errors = run.communicate(timeout=SECONDS)
        assert run.returncode == 8, errors
        server.start()
        tool.recover()
        assert migrations.big_table(database) == migrations.BIG_AFTER
        assert log_of(database) == ["1 up done", "2 up done"]
