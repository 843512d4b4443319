"""The checker finds each kind of violation in histories made by hand, and none in those that are right."""

import random
from pathlib import Path

import pytest

from checker import Kind, check
from history import AuditRow, Operation, Outcome, read_audit, read_history, write_history

R = "role:r"


def write(
    value: str | None, start: float, end: float, outcome: Outcome = Outcome.ACKNOWLEDGED, needs: str = ""
) -> Operation:
    """A write of a value, whose id is the value and its time."""
    name = f"write {value} at {start}"
    return Operation(name, 0, "set", start, end, outcome, register=R, value=value, needs=needs, action="role.set")


def read(value: str | None, start: float, end: float, final: bool = False, register: str = R) -> Operation:
    return Operation(
        f"read {value} at {start}", 0, "get", start, end, Outcome.ACKNOWLEDGED, seen={register: value}, final=final
    )


def row(operation: Operation) -> AuditRow:
    return AuditRow(operation.id, operation.action, "done")


def kinds(*operations: Operation, audit: list[AuditRow] | None = None, initial: str | None = "0") -> list[Kind]:
    """What is found; each write that was acknowledged has its audit row unless others are given."""
    if audit is None:
        made = [each for each in operations if each.is_write and each.outcome is Outcome.ACKNOWLEDGED]
        audit = [row(each) for each in made]
    return [violation.kind for violation in check(operations, audit, {R: initial})]


def test_a_read_after_a_write_sees_it() -> None:
    assert kinds(write("1", 1, 2), read("1", 3, 4)) == []
    assert kinds(write("1", 1, 2), read("0", 3, 4)) == [Kind.STALE]


def test_a_read_during_a_write_sees_either() -> None:
    for value in "01":
        assert kinds(write("1", 1, 4), read(value, 2, 3)) == []


def test_who_has_seen_the_new_value_does_not_see_the_old_one_again() -> None:
    assert kinds(write("1", 1, 10), read("1", 2, 3), read("0", 4, 5)) == [Kind.STALE]


def test_of_two_writes_at_once_either_may_be_the_last_but_only_one() -> None:
    both = [write("1", 1, 4), write("2", 1, 4)]
    for value in "12":
        assert kinds(*both, read(value, 5, 6), read(value, 7, 8)) == []
    assert kinds(*both, read("1", 5, 6), read("2", 7, 8)) == [Kind.STALE]
    assert kinds(*both, read("0", 5, 6)) == [Kind.STALE]


def test_a_final_value_that_is_older_is_a_lost_write() -> None:
    assert kinds(write("1", 1, 2), read("0", 3, 4, final=True)) == [Kind.LOST]


def test_an_unknown_write_happens_once_at_any_later_moment_or_never() -> None:
    unknown = write("1", 1, 2, Outcome.UNKNOWN)
    made = [row(unknown)]
    assert kinds(unknown, read("0", 3, 4), audit=[]) == []
    assert kinds(unknown, read("0", 3, 4), read("1", 5, 6), read("1", 7, 8), audit=made) == []
    assert kinds(unknown, read("0", 3, 4), read("1", 5, 6), read("0", 7, 8), audit=made) == [Kind.STALE]


def test_an_unknown_write_that_comes_late_may_undo_an_acknowledged_one_but_not_twice() -> None:
    unknown, known, last = write("1", 1, 2, Outcome.UNKNOWN), write("2", 3, 4), write("3", 7, 8)
    rows = [row(each) for each in (unknown, known, last)]
    assert kinds(unknown, known, read("1", 5, 6), audit=rows) == []
    assert kinds(unknown, known, read("1", 5, 6), last, read("1", 9, 10), audit=rows) == [Kind.STALE]


def test_an_unknown_write_without_an_audit_row_can_not_be_seen() -> None:
    unknown = write("1", 1, 2, Outcome.UNKNOWN)
    assert kinds(unknown, read("1", 3, 4), audit=[]) == [Kind.WRONG]


def test_a_write_is_not_seen_before_it_began() -> None:
    assert kinds(read("1", 1, 2), write("1", 3, 4)) == [Kind.WRONG]


def test_after_a_revocation_nothing_is_told_until_another_is_stored() -> None:
    revoked = [write("1", 1, 2), write(None, 3, 4, needs="present")]
    assert kinds(*revoked, read(None, 5, 6)) == []
    assert kinds(*revoked, read("1", 5, 6)) == [Kind.STALE]
    assert kinds(*revoked, read("1", 3.5, 6)) == []
    assert kinds(*revoked, write("2", 7, 8), read("2", 9, 10)) == []


def test_what_was_never_stored_for_a_user_is_wrong() -> None:
    other = read("1", 3, 4, register="token:eve")
    assert kinds(write("1", 1, 2), other) == [Kind.WRONG]


def test_an_acknowledgement_that_is_impossible_shows_a_lost_write() -> None:
    created = write("1", 1, 2, needs="absent")
    assert kinds(created, write("2", 3, 4, needs="absent"), initial=None) == [Kind.LOST]
    assert kinds(created, write(None, 3, 4, needs="present"), write("2", 5, 6, needs="absent"), initial=None) == []


def test_a_refusal_tells_something_too() -> None:
    created = write("1", 1, 2, needs="absent")
    assert kinds(created, write("2", 3, 4, Outcome.REFUSED, "absent"), initial=None) == []
    assert kinds(created, write("2", 3, 4, Outcome.REFUSED, "present"), initial=None) == [Kind.STALE]
    assert kinds(write("2", 3, 4, Outcome.REFUSED), initial=None) == []


def test_a_value_may_be_written_again() -> None:
    writes = [write("1", 1, 2), write(None, 3, 4, needs="is:1"), write("1", 5, 6)]
    assert kinds(*writes, read("1", 7, 8)) == []
    assert kinds(*writes, read(None, 7, 8)) == [Kind.STALE]


def test_audit_rows_are_changes() -> None:
    acknowledged, unknown = write("1", 1, 2), write("1", 1, 2, Outcome.UNKNOWN)
    refused = write("1", 1, 2, Outcome.REFUSED, "absent")
    assert kinds(acknowledged, audit=[]) == [Kind.LOST]
    assert kinds(acknowledged, audit=[row(acknowledged)] * 2) == [Kind.DUPLICATED]
    assert kinds(unknown, audit=[]) == kinds(unknown, audit=[row(unknown)]) == []
    assert kinds(unknown, audit=[row(unknown)] * 2) == [Kind.DUPLICATED]
    assert kinds(refused, audit=[row(refused)], initial=None) == [Kind.DUPLICATED]
    denied = AuditRow(acknowledged.id, acknowledged.action, "denied")
    assert kinds(acknowledged, audit=[denied]) == [Kind.LOST]


def test_a_repetition_is_answered_as_the_first_time() -> None:
    repeated = write("1", 1, 2)
    repeated.contradiction = "Role with name 'r' already exists"
    assert kinds(repeated) == [Kind.DUPLICATED]


def test_a_token_that_was_told_has_an_audit_row() -> None:
    told = read("0", 1, 2)
    told.action = "token.release"
    assert kinds(told, audit=[]) == [Kind.LOST]
    assert kinds(told, audit=[row(told)] * 2) == []


def test_one_violation_does_not_hide_or_repeat_itself() -> None:
    first = [write("1", 1, 2), read("0", 3, 4), read("1", 5, 6)]
    assert kinds(*first, write("2", 7, 8), read("1", 9, 10), read("2", 11, 12)) == [Kind.STALE, Kind.STALE]


def test_many_unknown_writes_are_judged_in_time() -> None:
    unknown = [write(str(number), number, number, Outcome.UNKNOWN) for number in range(1, 25)]
    reads = [read(str(number), 50 + 2 * number, 51 + 2 * number) for number in range(1, 25)]
    assert kinds(*unknown, *reads, audit=[row(each) for each in unknown]) == []


@pytest.mark.parametrize("seed", range(20))
def test_what_a_real_register_answers_is_right_and_a_frozen_one_is_found_out(seed: int) -> None:
    chance = random.Random(seed)
    value, frozen = "0", None
    honest, lying = [], []
    for number in range(200):
        effect = float(number)
        start, end = effect - chance.random() * 5, effect + chance.random() * 5
        if chance.random() < 0.4:
            value = str(number + 1)
            honest.append(write(value, start, end))
            lying.append(honest[-1])
        else:
            frozen = frozen or value
            honest.append(read(value, start, end))
            lying.append(read(frozen, start, end))
    assert kinds(*honest) == []
    assert set(kinds(*lying)) == {Kind.STALE}


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    operations = [write(None, 1, 2, Outcome.UNKNOWN), read("é", 3, 4)]
    write_history(tmp_path / "history.jsonl", operations)
    assert read_history(tmp_path / "history.jsonl") == operations


def test_the_audit_log_is_read_as_it_is_printed() -> None:
    line = '{"id":"1","at":"2026-01-01T00:00:00Z","action":"role.set","outcome":"done","request_id":null}\n'
    assert read_audit(line) == [AuditRow("", "role.set", "done")]
