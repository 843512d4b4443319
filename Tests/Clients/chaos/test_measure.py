"""Pauses, failures and targets are told as they are."""

import pytest

from checker import Kind, Violation
from history import Operation, Outcome
from measure import (
    Marks,
    longest_pause,
    measure,
    no_failures,
    only_posts_in_flight_fail,
    seconds_until_a_write,
    writes_resume,
)

MARKS = Marks(start=0, stop=10, strikes=[(4.9, 5)], healed=6)


def write(start: float, end: float, outcome: Outcome = Outcome.ACKNOWLEDGED, key: bool = False) -> Operation:
    return Operation("w", 0, "set", start, end, outcome, register="r", idempotent=key)


def get(start: float, end: float, outcome: Outcome = Outcome.ACKNOWLEDGED) -> Operation:
    return Operation("g", 0, "get", start, end, outcome, method="GET", seen={"r": None})


def test_a_pause_is_the_time_without_a_success() -> None:
    operations = [write(0, 1), write(1, 2), write(2, 6, Outcome.UNKNOWN), write(6, 7)]
    assert longest_pause(operations, MARKS) == 5
    assert longest_pause([], MARKS) == 10


def test_failures_are_told_apart() -> None:
    operations = [
        write(1, 2, Outcome.UNKNOWN),
        write(1, 2, Outcome.UNKNOWN, key=True),
        get(1, 2, Outcome.FAILED),
        get(1, 2),
        write(1, 2, Outcome.REFUSED),
    ]
    line = measure("f", operations, [Violation(Kind.STALE, "r", "g", "")], MARKS)
    assert (line.failed_gets, line.failed_reads, line.failed_with_key, line.failed_without_key) == (1, 0, 1, 1)
    assert (line.requests, line.unknown, line.stale, line.lost) == (5, 2, 1, 0)


def test_a_planned_restart_costs_nothing_not_even_a_second_try() -> None:
    assert no_failures([write(1, 2), get(1, 2)], MARKS) == []
    retried = write(1, 2)
    retried.failures.append("HTTP 503")
    assert no_failures([retried], MARKS) and no_failures([get(1, 2, Outcome.FAILED)], MARKS)


def test_a_kill_costs_only_posts_in_flight() -> None:
    assert only_posts_in_flight_fail([write(4, 6, Outcome.UNKNOWN), get(1, 2)], MARKS) == []
    assert only_posts_in_flight_fail([write(5.5, 6, Outcome.UNKNOWN)], MARKS)
    assert only_posts_in_flight_fail([get(4, 6, Outcome.FAILED)], MARKS)


@pytest.mark.parametrize("since_healed, is_met", [(False, False), (True, True)])
def test_writes_resume_in_time_after_the_fault_or_after_its_end(since_healed: bool, is_met: bool) -> None:
    operations = [write(4, 5.5), write(8, 10)]
    assert seconds_until_a_write(operations, 5) == 5
    assert (writes_resume(5, since_healed)(operations, MARKS) == []) == is_met
    assert writes_resume(5, since_healed)([], MARKS)
    assert writes_resume(5, since_healed)(operations, Marks(start=0, stop=10)), "a fault that never came"
