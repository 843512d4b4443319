"""What is to be reached, and whether it was. Pure functions of what was measured in one run."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

SERVER = "server"
HUMMINGBIRD = "hummingbird"
SELECT_POOL, SELECT_ALL = "c-pool", "c-all"
MARIADB = "mariadb"
POOL_SIZE = 8


@dataclass(frozen=True)
class Sample:
    """What one run under load has shown, or the medians of several. What was not measured is None."""

    per_second: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_us: float | None = None
    """CPU time of the program under load for each request."""
    database_us: float | None = None
    round_trips: float | None = None


def medians(samples: list[Sample]) -> Sample:
    """Of each figure by itself."""
    figures = {}
    for name in Sample.__dataclass_fields__:
        values = [value for sample in samples if (value := getattr(sample, name)) is not None]
        figures[name] = median(values) if values else None
    return Sample(**figures)


Figure = Callable[[Sample, Sample], float | None]


@dataclass(frozen=True)
class Target:
    """A bound for a figure of the server's, which may be a ratio to what another program reached in the same run."""

    label: str
    bound: float
    figure: Figure
    other: str = SERVER
    at_least: bool = True
    places: int = 2
    tolerance: float = 0.0
    """By how much the bound may be missed, for what belongs to no request."""

    @property
    def text(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:,g}{self.label}"

    def judge(self, samples: dict[str, Sample]) -> "Verdict":
        """By the samples of a path, each under the name of who was measured."""
        own, other = samples.get(SERVER), samples.get(self.other)
        value = self.figure(own, other) if own and other else None
        if value is None:
            return Verdict(self, None, None)
        met = value >= self.bound if self.at_least else value <= self.bound + self.tolerance
        return Verdict(self, value, met)


@dataclass(frozen=True)
class Verdict:
    """A target and what became of it; None for what could not be measured here."""

    target: Target
    value: float | None
    is_met: bool | None

    @property
    def ratio(self) -> str:
        return "–" if self.value is None else f"{self.value:,.{self.target.places}f}{self.target.label}"

    @property
    def word(self) -> str:
        return {True: "yes", False: "NO", None: "?"}[self.is_met]


def rate_ratio(own: Sample, other: Sample) -> float | None:
    return own.per_second / other.per_second


def cpu_ratio(own: Sample, other: Sample) -> float | None:
    return own.cpu_us / other.cpu_us if own.cpu_us and other.cpu_us else None


def rate(own: Sample, _: Sample) -> float | None:
    return own.per_second


def round_trips(own: Sample, _: Sample) -> float | None:
    return own.round_trips


# 50 times what the original reached.
FAST = Target("/s", 5_000, rate, places=0)
# The server's background work asks the database now and then.
ONE_TRIP = Target(" trips", 1, round_trips, at_least=False, tolerance=0.02)


def of_hummingbird(bound: float) -> tuple[Target, ...]:
    return (Target(" of Hummingbird", bound, rate_ratio, HUMMINGBIRD), ONE_TRIP)


POINT = (
    Target(" of C", 0.5, rate_ratio, SELECT_POOL),
    Target("× CPU", 2.5, cpu_ratio, HUMMINGBIRD, at_least=False),
    FAST,
    ONE_TRIP,
)
LIST = of_hummingbird(0.75)
NOT_MODIFIED = of_hummingbird(0.85)
MCP_LIST = of_hummingbird(0.6)
MCP_TOOL = of_hummingbird(0.5)
SQLITE = (Target(" of MariaDB", 1.0, rate_ratio, MARIADB),)
