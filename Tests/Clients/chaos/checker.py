"""Proves over a history that nothing acknowledged was lost or done twice, and that no answer was stale. No I/O.

The registry is seen as many independent registers: a role's prompt, a user's token for a service, a role's right to a
tool. Two things are checked.

- Of each register: whether one order of its operations explains all answers, in which each takes effect at one moment
  between its start and its end (linearizability). A write of unknown outcome may take effect at any one moment after
  its start, or never. The search goes through the operations' ends in their order and keeps every state that is still
  possible: "just-in-time linearization", G. Lowe, Testing for linearizability, 2017.
- Of each change: whether it has left as many audit rows as it was made times.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from history import AuditRow, Operation, Outcome


class Kind(str, Enum):
    """What may be wrong."""

    LOST = "lost"  # an acknowledged change, or the audit row of one, is not there
    DUPLICATED = "duplicated"  # a change was made more than once
    STALE = "stale"  # an answer tells what was no longer so when it was asked for
    WRONG = "wrong"  # an answer tells what was never stored there, such as another user's token


@dataclass(frozen=True)
class Violation:
    """One broken promise, and the operation that shows it."""

    kind: Kind
    register: str
    operation: str
    text: str


@dataclass(frozen=True)
class Step:
    """An operation as one register sees it: it can happen when `needs` holds of the value; a refused one when not."""

    operation: Operation
    needs: str
    is_refused: bool = False

    @property
    def is_change(self) -> bool:
        return self.operation.is_write and not self.is_refused

    @property
    def is_optional(self) -> bool:
        return self.operation.outcome is Outcome.UNKNOWN

    def is_possible(self, value: str | None) -> bool:
        return holds(self.needs, value) is not self.is_refused


# A possible state: the value, the steps in progress that have taken effect, and the same of unknown outcome.
State = tuple[str | None, frozenset[int], frozenset[int]]


def holds(needs: str, value: str | None) -> bool:
    """Whether a value is what an operation needs."""
    if needs == "absent":
        return value is None
    if needs == "present":
        return value is not None
    return not needs or needs == f"is:{value}"


def check(
    operations: Iterable[Operation], audit: Iterable[AuditRow], initial: dict[str, str | None]
) -> list[Violation]:
    """All that is wrong.

    `initial` has the values of registers before the first operation; those that are not named are absent.
    """
    operations = list(operations)
    rows = rows_by_operation(audit)
    violations = list(check_audit(operations, rows))
    for register, steps in steps_by_register(operations, rows).items():
        violations += check_register(register, steps, initial.get(register))
    return violations


def rows_by_operation(audit: Iterable[AuditRow]) -> Counter[tuple[str, str]]:
    """How many rows each operation has left of what was done, by its id and the action."""
    return Counter((row.request_id, row.action) for row in audit if row.outcome == "done")


def check_audit(operations: Iterable[Operation], rows: Counter[tuple[str, str]]) -> Iterator[Violation]:
    """Audit rows are changes: one for an acknowledged one, at most one for an unknown one, none for a refused one.

    And a change that is asked for again under its key is not made again, but answered as before.
    """
    for operation in operations:
        count = rows[operation.id, operation.action]
        if not operation.is_write:
            # A release is written down before the token is told. A balancer may have asked again: more rows are right.
            told = [register for register, value in operation.seen.items() if value is not None]
            if operation.action and operation.outcome is Outcome.ACKNOWLEDGED and told and count == 0:
                yield Violation(Kind.LOST, told[0], operation.id, "a token was told without an audit row")
        elif operation.contradiction:
            text = f"{operation.kind} was repeated and answered otherwise: {operation.contradiction}"
            yield Violation(Kind.DUPLICATED, operation.register, operation.id, text)
        elif count > 1:
            text = f"{operation.kind} was made {count} times"
            yield Violation(Kind.DUPLICATED, operation.register, operation.id, text)
        elif operation.outcome is Outcome.ACKNOWLEDGED and count == 0:
            yield Violation(Kind.LOST, operation.register, operation.id, f"{operation.kind} has no audit row")
        elif operation.outcome is Outcome.REFUSED and count == 1:
            text = f"{operation.kind} was made, and then tried again and refused"
            yield Violation(Kind.DUPLICATED, operation.register, operation.id, text)


def steps_by_register(operations: Iterable[Operation], rows: Counter[tuple[str, str]]) -> dict[str, list[Step]]:
    """What each register has seen, without what tells nothing: failed reads, unknown writes without an audit row."""
    steps: dict[str, list[Step]] = defaultdict(list)
    for operation in operations:
        if operation.is_write:
            was_made = rows[operation.id, operation.action] > 0
            if operation.outcome is Outcome.ACKNOWLEDGED or (operation.outcome is Outcome.UNKNOWN and was_made):
                steps[operation.register].append(Step(operation, operation.needs))
            elif operation.outcome is Outcome.REFUSED and operation.needs and not was_made:
                steps[operation.register].append(Step(operation, operation.needs, is_refused=True))
        elif operation.outcome is Outcome.ACKNOWLEDGED:
            for register, value in operation.seen.items():
                steps[register].append(Step(operation, "absent" if value is None else f"is:{value}"))
    return steps


def check_register(register: str, steps: list[Step], initial: str | None) -> list[Violation]:
    """Goes through the ends in their order. After a violation it goes on, so that one does not hide the next."""
    violations = []
    states: set[State] = {(initial, frozenset(), frozenset())}
    pending: dict[int, Step] = {}
    for _, is_end, index in sorted(events(steps)):
        step = steps[index]
        if not is_end:
            pending[index] = step
            continue
        survivors = {
            (value, done - {index}, maybe) for value, done, maybe in reachable(states, pending) if index in done
        }
        del pending[index]
        if survivors:
            states = simplest(survivors)
            continue
        violations.append(explain(register, step, steps, initial, {value for value, _, _ in states}))
        # From here on the answer is believed as well as what contradicts it.
        told = step.operation.value if step.is_change else step.operation.seen.get(register)
        if step.is_change or not step.is_refused:
            states = states | {(told, done, maybe) for _, done, maybe in states}
    return violations


def events(steps: list[Step]) -> Iterator[tuple[float, bool, int]]:
    """Starts and ends; of two at the same time the start comes first. What is unknown does not end."""
    for index, step in enumerate(steps):
        yield step.operation.start, False, index
        if not step.is_optional:
            yield step.operation.end, True, index


def reachable(states: set[State], pending: dict[int, Step]) -> set[State]:
    """Every state that some order of the steps in progress leads to, without those that allow no more than another."""
    found: dict[tuple[str | None, frozenset[int]], list[frozenset[int]]] = defaultdict(list)
    # Those with the fewest unknown writes used up come first: what allows more is there before what allows less.
    frontier = [(len(state[2]), number, observed(state, pending)) for number, state in enumerate(states)]
    heapq.heapify(frontier)
    number = len(frontier)
    while frontier:
        _, _, (value, done, maybe) = heapq.heappop(frontier)
        if any(other <= maybe for other in found[value, done]):
            continue
        found[value, done].append(maybe)
        for index, step in pending.items():
            if step.is_change and index not in done and index not in maybe and step.is_possible(value):
                after = (done, maybe | {index}) if step.is_optional else (done | {index}, maybe)
                number += 1
                state = observed((step.operation.value, *after), pending)
                heapq.heappush(frontier, (len(state[2]), number, state))
    return {(*group, maybe) for group, alternatives in found.items() for maybe in alternatives}


def observed(state: State, pending: dict[int, Step]) -> State:
    """The state in which all who only look, and may see this value, have seen it: what may follow stays the same."""
    value, done, maybe = state
    seen = {index for index, step in pending.items() if not step.is_change and step.is_possible(value)}
    return (value, done | seen, maybe)


def simplest(states: set[State]) -> set[State]:
    """Without the states that allow no more than another: the same, with more of the unknown writes used up."""
    groups: dict[tuple[str | None, frozenset[int]], list[frozenset[int]]] = defaultdict(list)
    for value, done, maybe in states:
        groups[value, done].append(maybe)
    return {
        (*group, maybe)
        for group, alternatives in groups.items()
        for maybe in alternatives
        if not any(other < maybe for other in alternatives)
    }


def explain(register: str, step: Step, steps: list[Step], initial: str | None, possible: set[str | None]) -> Violation:
    """Names what the answer of a step contradicts."""
    operation = step.operation
    expected = " or ".join(sorted(map(describe, possible)))
    if operation.is_write:
        kind, answer = (Kind.STALE, "refused") if step.is_refused else (Kind.LOST, "acknowledged")
        text = f"{operation.kind} was {answer}, which the value {expected} does not allow"
        return Violation(kind, register, operation.id, text)
    value = operation.seen[register]
    written = {each.operation.value for each in steps if each.is_change and each.operation.start <= operation.end}
    if value not in written | {initial, None}:
        kind = Kind.WRONG
    else:
        kind = Kind.LOST if operation.final else Kind.STALE
    return Violation(kind, register, operation.id, f"{operation.kind} told {describe(value)} instead of {expected}")


def describe(value: str | None) -> str:
    """A value for people, the long ones cut."""
    return "nothing" if value is None else f"'{value[:40]}'"
