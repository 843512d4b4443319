"""What a run under a fault has shown: counts, pauses, violations, and whether the targets were met. Pure functions."""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from checker import Kind, Violation
from history import Operation, Outcome


@dataclass
class Marks:
    """When what happened, on the clock of the history."""

    start: float = 0.0
    stop: float = 0.0
    # Between which two moments each fault came, and since when everything that they took is there again.
    strikes: list[tuple[float, float]] = field(default_factory=list)
    healed: float = math.nan


@dataclass
class Measurement:
    """A line of the report."""

    fault: str
    requests: int
    failed_gets: int
    failed_reads: int
    failed_with_key: int
    failed_without_key: int
    unknown: int
    write_pause: float
    read_pause: float
    lost: int
    duplicated: int
    stale: int
    wrong: int
    violations: list[Violation]
    failures: dict[str, int]
    missed: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def has_violations(self) -> bool:
        return bool(self.violations)


def measure(fault: str, operations: list[Operation], violations: list[Violation], marks: Marks) -> Measurement:
    """Sums up. What was asked to learn the final state does not count as load."""
    load = [operation for operation in operations if not operation.final]
    failed = [operation for operation in load if not operation.is_answered]
    found = Counter(violation.kind for violation in violations)
    return Measurement(
        fault=fault,
        requests=sum(operation.attempts for operation in load),
        failed_gets=sum(not each.is_write and each.method == "GET" for each in failed),
        failed_reads=sum(not each.is_write and each.method != "GET" for each in failed),
        failed_with_key=sum(each.is_write and each.idempotent for each in failed),
        failed_without_key=sum(each.is_write and not each.idempotent for each in failed),
        unknown=sum(operation.outcome is Outcome.UNKNOWN for operation in load),
        write_pause=longest_pause((each for each in load if each.is_write), marks),
        read_pause=longest_pause((each for each in load if not each.is_write), marks),
        lost=found[Kind.LOST],
        duplicated=found[Kind.DUPLICATED],
        stale=found[Kind.STALE],
        wrong=found[Kind.WRONG],
        violations=violations,
        failures=dict(Counter(failure for operation in load for failure in operation.failures).most_common()),
    )


def longest_pause(operations: Iterable[Operation], marks: Marks) -> float:
    """The longest time without a success."""
    ends = sorted(each.end for each in operations if each.outcome is Outcome.ACKNOWLEDGED and each.end <= marks.stop)
    moments = [marks.start, *ends, marks.stop]
    return max(later - earlier for earlier, later in zip(moments, moments[1:]))


def seconds_until_a_write(operations: Iterable[Operation], moment: float) -> float:
    """From a moment to the end of the first write that began after it and was acknowledged."""
    ends = [
        each.end
        for each in operations
        if each.is_write and each.outcome is Outcome.ACKNOWLEDGED and each.start >= moment
    ]
    return min(ends, default=float("inf")) - moment


# Each gives a sentence for what was missed, or none.
Target = Callable[[list[Operation], Marks], list[str]]


def no_failures(operations: list[Operation], marks: Marks) -> list[str]:
    """A restart or a deploy that is planned costs no request."""
    failed = [operation for operation in operations if not operation.is_answered or operation.failures]
    return [f"{len(failed)} requests failed, 0 may"] if failed else []


def only_posts_in_flight_fail(operations: list[Operation], marks: Marks) -> list[str]:
    """An instance killed costs no GET, and of the other requests none that began later."""
    missed = []
    failed = [operation for operation in operations if not operation.is_answered]
    gets = [operation for operation in failed if operation.method == "GET"]
    if gets:
        missed.append(f"{len(gets)} GET requests failed, 0 may")
    others = [each for each in failed if each.method != "GET" and not was_in_flight(each, marks)]
    if others:
        missed.append(f"{len(others)} POST requests failed that were not in flight at the kill")
    return missed


def was_in_flight(operation: Operation, marks: Marks) -> bool:
    """Whether it may have been at a fault, whose moment is known only so well."""
    return any(operation.start <= after and operation.end >= before for before, after in marks.strikes)


def writes_resume(limit: float, since_healed: bool) -> Target:
    """Writes go on in so many seconds after the fault, or after the only database is back."""

    def target(operations: list[Operation], marks: Marks) -> list[str]:
        moments = [marks.healed] if since_healed else [after for _, after in marks.strikes]
        seconds = max((seconds_until_a_write(operations, moment) for moment in moments), default=math.inf)
        return [] if seconds < limit else [f"writes resumed after {seconds:.1f} s, {limit:.0f} s are allowed"]

    return target
