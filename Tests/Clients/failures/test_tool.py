"""The tool that migrates is killed with SIGKILL, wherever it is; the next run ends what it began."""

import signal
import sqlite3
from pathlib import Path

import pytest

from failures import migrations
from failures.killing_proxy import KillingProxy, Moment
from failures.tool import SECONDS, Tool, log_of
from server_database import ServerDatabase


@pytest.mark.parametrize("moment", list(Moment))
def test_killed_at_any_packet_a_run_leaves_nothing_that_the_next_one_does_not_finish_once(
    database: ServerDatabase, moment: Moment, tmp_path: Path
) -> None:
    files = migrations.write(tmp_path / "migrations")
    tool = Tool(tmp_path, database.url(), files)
    tool.run("up")
    reference = tool.run("dump")
    packets = 0
    while True:
        database.sql(f"DROP DATABASE {database.name}; CREATE DATABASE {database.name} CHARACTER SET latin1")
        proxy = KillingProxy(database.port(), packets + 1, moment)
        killed = Tool(tmp_path, database.url_at(proxy.port), files).start("up")
        proxy.kills(killed)
        output, errors = killed.communicate(timeout=SECONDS)
        proxy.close()
        if killed.returncode != -signal.SIGKILL:
            assert killed.returncode == 0, errors
            break
        packets += 1
        tool.recover()
        assert database.sql(f"SELECT id, n FROM {database.name}.counted") == [["1", str(migrations.SUM)]], packets
        assert tool.run("dump") == reference, packets
        assert log_of(database) == ["1 up done", "2 up done"], packets
    assert packets > 30, f"the run had {packets} packets only"
    print(f"{packets} packets, each killed at: {moment}")


@pytest.mark.parametrize("position", range(5))
def test_killed_during_any_statement_a_run_on_sqlite_leaves_nothing_of_its_migration(
    position: int, tmp_path: Path
) -> None:
    # A statement that takes as long as table `knob` says, so that the run dies in the middle of it.
    slow = (
        "INSERT INTO knob SELECT -1 FROM (WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c "
        "WHERE x < (SELECT MAX(n) FROM knob)) SELECT COUNT(*) FROM c)"
    )
    first, second = migrations.UP.values()
    statements = [*first[:position], slow, *first[position:]]
    ups = {"0001_knob": ["CREATE TABLE knob (n INTEGER)", "INSERT INTO knob VALUES (1)"]}
    files = migrations.write(tmp_path / "migrations", ups | {"0002_counted": statements, "0003_more": second})
    tool = Tool(tmp_path, "sqlite:///./registry.db", files)
    tool.run("up", "--to", "1")
    empty = tool.run("dump")
    with sqlite3.connect(tmp_path / "registry.db") as database:
        database.execute("UPDATE knob SET n = 1000000000000")
    killed = tool.start("up")
    assert killed.stderr
    assert any(f"statement {position + 1} of 6" in line for line in killed.stderr)
    killed.kill()
    killed.communicate(timeout=SECONDS)
    assert killed.returncode == -signal.SIGKILL
    assert tool.run("dump") == empty
    database.execute("UPDATE knob SET n = 1")
    database.commit()
    database.close()
    tool.recover()
    with sqlite3.connect(tmp_path / "registry.db") as database:
        assert database.execute("SELECT id, n FROM counted").fetchall() == [(1, migrations.SUM)]
    database.close()


def test_killed_during_a_long_alter_a_run_is_followed_by_one_that_waits_for_the_statement_and_counts_it(
    database: ServerDatabase, tmp_path: Path
) -> None:
    files = migrations.write(tmp_path / "migrations", migrations.BIG)
    tool = Tool(tmp_path, database.url(), files)
    tool.run("up", "--to", "1")
    killed = tool.start("up")
    migrations.await_alter(database)
    killed.kill()
    killed.communicate(timeout=SECONDS)
    assert killed.returncode == -signal.SIGKILL
    tool.recover()
    assert migrations.big_table(database) == migrations.BIG_AFTER
    assert log_of(database) == ["1 up done", "2 up done"]
