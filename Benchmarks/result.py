"""What a run has found out, as text and as JSON."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from report import CEILING_HEADER, HEADER, Judgement, Single, ceiling_row, missed, path_row, single_table, table
from rounds import Line, Run
from targets import HUMMINGBIRD, POOL_SIZE, SELECT_ALL, SELECT_POOL, SERVER, Sample


@dataclass
class Result:
    facts: dict[str, str]
    tables: list[str] = field(default_factory=list)
    singles: list[Single] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    has_failed: bool = False

    @property
    def missed(self) -> list[str]:
        return missed(self.judgements, self.singles)

    def fail(self, sentence: str) -> None:
        """Notes what could not be measured as it should."""
        self.has_failed = True
        self.notes.append(f"FAILED: {sentence}")

    def take(self, run: Run, connections: list[int]) -> None:
        """All that the rounds have measured."""
        rows, ceilings = [], []
        for line in run.lines:
            self.has_failed |= bool(line.failure)
            for count in connections:
                figures = run.figures(line, count)
                if SERVER in figures:
                    verdicts = [target.judge(figures) for target in line.path.targets]
                    where = f"{line.path.title}, {count} connections"
                    self.judgements += [Judgement(where, verdict, line.path.reason) for verdict in verdicts]
                    rows.append(path_row(line.path.title, count, line.samples[SERVER, count], verdicts))
                ceilings += ceiling_rows(line, count)
            self._keep(line.path.name, line.samples)
        ceilings += [ceiling_row(name, count, taken) for (name, count), taken in run.wire.items()]
        self._keep("wire", run.wire)
        self.tables += [table(HEADER, rows), table(CEILING_HEADER, ceilings)]
        self.notes += run.notes

    def _keep(self, path: str, samples: dict[tuple[str, int], list[Sample]]) -> None:
        for (who, count), taken in samples.items():
            self.samples += [{"path": path, "of": who, "connections": count} | asdict(sample) for sample in taken]

    @property
    def text(self) -> str:
        parts = ["\n".join(f"- {name}: {fact}" for name, fact in self.facts.items()), *self.tables]
        if self.singles:
            parts.append(single_table(self.singles))
        if self.notes:
            parts.append("\n".join(f"- {note}" for note in self.notes))
        sentences = "\n".join(f"- {sentence}" for sentence in self.missed)
        verdict = f"Missed (docs/performance.md says more):\n\n{sentences}"
        parts.append(verdict if sentences else "Every target that was measured is met.")
        return "\n\n".join(parts)

    @property
    def json(self) -> dict[str, Any]:
        return {
            "facts": self.facts,
            "samples": self.samples,
            "singles": [{"what": each.what, "value": each.value, "unit": each.unit} for each in self.singles],
            "notes": self.notes,
            "missed": self.missed,
        }


def ceiling_rows(line: Line, connections: int) -> list[list[str]]:
    title = line.path.title
    names = {
        HUMMINGBIRD: (f"Hummingbird, as {title}", connections),
        SELECT_POOL: (f"C, after {title} over {connections}", POOL_SIZE),
        SELECT_ALL: (f"C, after {title} over {connections}", connections),
    }
    return [
        ceiling_row(*names[who], taken)
        for (who, count), taken in line.samples.items()
        if who in names and count == connections and taken
    ]


def write(result: Result, folder: Path, name: str) -> str:
    """Both forms into a folder, where those of the run before are replaced."""
    (folder / f"{name}.md").write_text(f"{result.text}\n")
    (folder / f"{name}.json").write_text(json.dumps(result.json, indent=1))
    return result.text
