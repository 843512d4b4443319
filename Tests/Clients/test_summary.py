"""`make test` tells the truth: what failed, what was skipped, and what never ran."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conftest import PROJECT

PASSED = '<testcase classname="t" name="a[SQLite]"/><testcase classname="t" name="a[MariaDB-mcp]"/>'


def summary(*files: Path | str) -> tuple[int, list[str]]:
    done = subprocess.run([PROJECT / "Scripts/test-summary", *files], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def report(folder: Path, cases: str) -> Path:
    """A report as pytest writes it."""
    path = folder / "clients.xml"
    path.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    return path


def events(folder: Path, *ends: str) -> Path:
    """The events of a Swift run: a plain test, and a parametrised one whose second case has the events `ends`.

    The first case's name holds line separators that are no line feeds, as they stand in the stream.
    """

    def test(identifier: str, parametrised: bool) -> dict[str, Any]:
        payload = {"kind": "function", "id": identifier, "name": identifier, "isParameterized": parametrised}
        return {"kind": "test", "payload": payload}

    def event(kind: str, identifier: str = "", case: str = "") -> dict[str, Any]:
        payload: dict[str, Any] = {"kind": kind, "testID": identifier, "issue": {"isKnown": False}}
        payload["messages"] = [{"symbol": "fail", "text": "2 is not 3"}]
        return {
            "kind": "event",
            "payload": payload | ({"_testCase": {"id": case, "displayName": case}} if case else {}),
        }

    records = [test("plain", False), test("each", True), event("testStarted", "plain"), event("testStarted", "each")]
    records += [event("testCaseStarted", "each", case) for case in ['SQLite, "\x85\u2028"', 'MariaDB, "x"']]
    records += [event(kind, "each", 'MariaDB, "x"') if kind == "issueRecorded" else event(kind) for kind in ends]
    path = folder / "Swift.jsonl"
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
    return path


def test_counts_each_engine(tmp_path: Path) -> None:
    code, lines = summary(events(tmp_path, "runEnded"), report(tmp_path, PASSED))
    assert (code, lines[-1]) == (0, "5 passed, 0 failed")
    assert [line.split() for line in lines[1:4]] == [
        ["Tests", "SQLite", "MariaDB", "none"],
        ["Swift", "1", "1", "1"],
        ["clients", "1", "1", "0"],
    ]


def test_counts_the_engines_that_were_asked_for_and_shows_why_one_was_not(tmp_path: Path) -> None:
    galera = report(tmp_path, PASSED + '<testcase classname="t" name="a[Galera, (0, true)]"/>')
    code, lines = summary("--engines", "SQLite,MariaDB,Galera", "--skipped", "MySQL: no network", galera)
    assert (code, lines[1:]) == (
        0,
        [
            "Tests             SQLite   MariaDB    Galera      none",
            "clients                1         1         1         0",
            "skipped: MySQL: no network",
            "3 passed, 0 failed",
        ],
    )
    code, lines = summary("--engines", "SQLite,MariaDB,Galera,MySQL", galera)
    assert (code, lines[-2:]) == (1, ["failed: clients: nothing ran on MySQL", "3 passed, 1 failed"])


def test_a_run_named_after_an_engine_has_to_test_that(tmp_path: Path) -> None:
    (folder := tmp_path / "events").mkdir()
    named = events(folder, "runEnded").rename(tmp_path / "MariaDB.jsonl")
    assert summary("--engines", "SQLite,MariaDB,MySQL", named)[1][-1] == "3 passed, 0 failed"
    named = named.rename(tmp_path / "MySQL.jsonl")
    code, lines = summary("--engines", "SQLite,MariaDB,MySQL", named)
    assert (code, lines[-2:]) == (1, ["failed: MySQL: nothing ran on MySQL", "3 passed, 1 failed"])


@pytest.mark.parametrize(
    "cases, last",
    [
        (PASSED + '<testcase classname="t" name="b"><failure/></testcase>', "2 passed, 1 failed"),
        (PASSED + '<testcase classname="t" name="b"><error/></testcase>', "2 passed, 1 failed"),
        (PASSED + '<testcase classname="t" name="b"><skipped/></testcase>', "2 passed, 1 failed"),
        ('<testcase classname="t" name="a[SQLite]"/>', "1 passed, 1 failed"),
        ("", "0 passed, 3 failed"),
        ("<broken", "0 passed, 3 failed"),
    ],
)
def test_python_tests_that_did_not_pass_count(tmp_path: Path, cases: str, last: str) -> None:
    code, lines = summary(report(tmp_path, cases))
    assert (code, lines[-1]) == (1, last)


@pytest.mark.parametrize("ends, named", [(["issueRecorded", "runEnded"], "each [MariaDB"), ([], "did not end")])
def test_swift_tests_that_did_not_pass_count(tmp_path: Path, ends: list[str], named: str) -> None:
    code, lines = summary(events(tmp_path, *ends))
    assert code == 1
    assert any(named in line for line in lines[-3:-1])
    assert lines[-1].endswith("1 failed")


def test_what_failed_says_why_at_the_end(tmp_path: Path) -> None:
    broken = report(tmp_path, PASSED + '<testcase classname="t" name="b"><failure>1 is not 2</failure></testcase>')
    _, lines = summary(events(tmp_path, "issueRecorded", "runEnded"), broken)
    assert lines[-5:-1] == [
        'failed: Swift: each [MariaDB, "x"]',
        "    2 is not 3",
        "failed: clients: t.b",
        "    1 is not 2",
    ]


def test_a_part_that_left_no_results_counts(tmp_path: Path) -> None:
    code, lines = summary(tmp_path / "Swift.jsonl")
    assert (code, lines[-1]) == (1, "0 passed, 3 failed")


def test_a_part_that_needs_no_engine_still_needs_results(tmp_path: Path) -> None:
    plain = report(tmp_path, '<testcase classname="t" name="a"/>')
    assert summary(plain)[1][-1] == "1 passed, 2 failed"
    assert summary("--any-engine", plain)[1][-1] == "1 passed, 0 failed"
    assert summary("--any-engine", tmp_path / "missing.xml")[1][-1] == "0 passed, 1 failed"
    (tmp_path / "Swift.jsonl").touch()
    assert summary(tmp_path / "Swift.jsonl", "--any-engine", plain)[1][-1] == "1 passed, 3 failed"
