"""The tables. Pure functions of what was measured."""

from collections.abc import Iterable
from dataclasses import dataclass

from targets import Sample, Verdict, medians

HEADER = [
    "path",
    "conn.",
    "req/s",
    "all rounds",
    "p50 ms",
    "p99 ms",
    "server µs",
    "db µs",
    "db round trips",
    "ratio",
    "target",
    "met?",
]

CEILING_HEADER = ["ceiling", "conn.", "req/s", "all rounds", "p50 ms", "p99 ms", "its µs", "db µs", "db round trips"]


def table(header: list[str], rows: Iterable[Iterable[str]]) -> str:
    """In Markdown, its columns as wide as their widest cell so that it can be read as it is."""
    cells = [header, *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def number(value: float | None, places: int = 0) -> str:
    return "–" if value is None else f"{value:,.{places}f}"


def path_row(title: str, connections: int, samples: list[Sample], verdicts: list[Verdict]) -> list[str]:
    """A row of the main table. Of several targets each has its place in the last three columns."""
    return [
        *ceiling_row(title, connections, samples),
        ", ".join(verdict.ratio for verdict in verdicts) or "–",
        ", ".join(verdict.target.text for verdict in verdicts) or "–",
        ", ".join(verdict.word for verdict in verdicts) or "–",
    ]


def ceiling_row(title: str, connections: int, samples: list[Sample]) -> list[str]:
    """The medians of samples, and how far they are apart."""
    sample, rates = medians(samples), [each.per_second for each in samples]
    return [
        title,
        str(connections),
        number(sample.per_second),
        f"{number(min(rates))}–{number(max(rates))}",
        number(sample.p50_ms, 1),
        number(sample.p99_ms, 1),
        number(sample.cpu_us),
        number(sample.database_us),
        number(sample.round_trips, 2),
    ]


@dataclass(frozen=True)
class Single:
    """A figure that belongs to no path, and its bound, where there is one."""

    what: str
    value: float
    unit: str
    bound: float | None = None
    at_least: bool = False
    reason: str = ""
    """Why the bound may be missed."""

    @property
    def is_met(self) -> bool | None:
        if self.bound is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    @property
    def row(self) -> list[str]:
        places = 0 if self.value >= 1_000 or self.value == int(self.value) else 2 if self.value < 10 else 1
        target = "–" if self.bound is None else f"{'≥' if self.at_least else '≤'} {self.bound:g} {self.unit}"
        word = {True: "yes", False: "NO", None: "–"}[self.is_met]
        return [self.what, f"{self.value:,.{places}f} {self.unit}", target, word]


def single_table(singles: list[Single]) -> str:
    return table(["what", "figure", "target", "met?"], [single.row for single in singles])


@dataclass(frozen=True)
class Judgement:
    """What became of a target of a path over so many connections, and why it may be missed."""

    where: str
    verdict: Verdict
    reason: str = ""


def missed(judgements: Iterable[Judgement], singles: Iterable[Single]) -> list[str]:
    """Each target that was measured and not met, in words."""
    of_paths = [
        f"{each.where}: {each.verdict.ratio}, not {each.verdict.target.text}{because(each.reason)}"
        for each in judgements
        if each.verdict.is_met is False
    ]
    return of_paths + [
        f"{each.what}: {each.row[1]}, not {each.row[2]}{because(each.reason)}"
        for each in singles
        if each.is_met is False
    ]


def because(reason: str) -> str:
    return reason and f" ({reason})"
