"""What a run has asked and been told: one entry for each operation, in memory and as a line of JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path


class Outcome(str, Enum):
    """How an operation ended, as its client knows it."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"  # what the write needs did not hold, so nothing was changed
    UNKNOWN = "unknown"  # of a write: it may have happened, may still happen, or never
    FAILED = "failed"  # of a read: it tells nothing


@dataclass
class Operation:
    """One read or write. Times are seconds of a clock that never goes back; those of a retried write span all attempts.

    `id` goes along as X-Request-Id, so it is in the audit row of the change. A read tells the values of one register or
    of many (`seen`); None stands for what is not there.
    """

    id: str
    client: int
    kind: str
    start: float
    end: float = 0.0
    outcome: Outcome = Outcome.UNKNOWN
    # Of a write: the register, its value from then on, what the one before must be ("", absent, present, is:VALUE).
    register: str = ""
    value: str | None = None
    needs: str = ""
    action: str = ""
    idempotent: bool = False
    attempts: int = 1
    # What the same request under the same key was answered later, when that is not the first answer.
    contradiction: str = ""
    # Of a read.
    seen: dict[str, str | None] = field(default_factory=dict)
    final: bool = False
    # For people.
    method: str = "POST"
    server: str = ""
    failures: list[str] = field(default_factory=list)

    @property
    def is_write(self) -> bool:
        return bool(self.register)

    @property
    def is_answered(self) -> bool:
        """Whether the client was told what it wanted to know."""
        return self.outcome in (Outcome.ACKNOWLEDGED, Outcome.REFUSED)


@dataclass(frozen=True)
class AuditRow:
    """A row of the registry's audit log, as far as it matters here."""

    request_id: str
    action: str
    outcome: str


def write_history(path: Path, operations: Iterable[Operation]) -> None:
    """As JSON, a line each. Values of tokens are made up and worth nothing, but no file is left for others to read."""
    path.touch(mode=0o600)
    with path.open("w") as file:
        for operation in operations:
            file.write(json.dumps(asdict(operation)) + "\n")


def read_history(path: Path) -> list[Operation]:
    """What `write_history` has written."""
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return [Operation(**(entry | {"outcome": Outcome(entry["outcome"])})) for entry in entries]


def read_audit(lines: str) -> list[AuditRow]:
    """What `mcp-registry audit --json` prints."""
    entries = [json.loads(line) for line in lines.splitlines()]
    return [AuditRow(entry["request_id"] or "", entry["action"], entry["outcome"]) for entry in entries]
