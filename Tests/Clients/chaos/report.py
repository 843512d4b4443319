"""The figures of all runs, as a table for people and as JSON."""

import json
from dataclasses import asdict
from pathlib import Path

from measure import Measurement

COLUMNS = [
    "engine",
    "fault",
    "requests",
    "failed GET",
    "other reads",
    "writes with key",
    "without",
    "unknown",
    "write pause",
    "read pause",
    "lost",
    "twice",
    "stale",
    "wrong",
    "verdict",
]
EXAMPLES = 5


def cells(engine: str, line: Measurement) -> list[str]:
    numbers = [
        line.requests,
        line.failed_gets,
        line.failed_reads,
        line.failed_with_key,
        line.failed_without_key,
        line.unknown,
    ]
    found = [line.lost, line.duplicated, line.stale, line.wrong]
    pauses = [f"{line.write_pause:.1f} s", f"{line.read_pause:.1f} s"]
    verdict = "MISSED" if line.missed else "ok"
    return [engine, line.fault, *map(str, numbers), *pauses, *map(str, found), verdict]


def table(lines: list[tuple[str, Measurement]]) -> str:
    """In Markdown, with columns as wide as they need to be."""
    rows = [COLUMNS] + [cells(engine, line) for engine, line in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    return "\n".join([text[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *text[1:]])


def details(engine: str, line: Measurement) -> list[str]:
    """What stands below the table about a run."""
    text = [f"{engine} {line.fault}: {sentence}" for sentence in [*line.missed, line.note] if sentence]
    text += [
        f"{engine} {line.fault}: {violation.kind.value}: {violation.register}: {violation.text} ({violation.operation})"
        for violation in line.violations[:EXAMPLES]
    ]
    return text + [
        f"{engine} {line.fault}: {count} × {failure}" for failure, count in [*line.failures.items()][:EXAMPLES]
    ]


def write_report(folder: Path, lines: list[tuple[str, Measurement]], skipped: list[str], seed: int) -> None:
    """Writes report.md and report.json."""
    text = [
        "# What faults under load have shown",
        "",
        f"Seed {seed}. Failed are requests that were not answered in the end; a write with a key is tried again. A "
        "pause is the longest time without a success. A run with proof in its name breaks a promise on purpose: its "
        "violations have to be found.",
        "",
        table(lines),
        "",
        *(f"- {sentence}" for engine, line in lines for sentence in details(engine, line)),
        *(f"- skipped: {reason}" for reason in skipped),
    ]
    (folder / "report.md").write_text("\n".join(text) + "\n")
    entries = [{"engine": engine} | asdict(line) for engine, line in lines]
    (folder / "report.json").write_text(
        json.dumps({"seed": seed, "runs": entries, "skipped": skipped}, indent=2) + "\n"
    )
