"""Whether a figure stays flat over time. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

# A process counts from when it has warmed up: caches are full and every connection is open.
WARM_UP_SECONDS = 120.0


@dataclass(frozen=True)
class Trend:
    """How a figure went: the medians of the first and the last third, and the slope of the line through all points."""

    first: float
    last: float
    highest: float
    slope_per_hour: float
    is_flat: bool


def trend(points: Sequence[tuple[float, float]], tolerance: float) -> Trend:
    """Of points (seconds, figure). Flat is what ends at most `tolerance` above its beginning."""
    third = max(1, len(points) // 3)
    first = median(figure for _, figure in points[:third])
    last = median(figure for _, figure in points[-third:])
    return Trend(first, last, max(figure for _, figure in points), 3600 * slope(points), last - first <= tolerance)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least squares."""
    count = len(points)
    middle_time = sum(time for time, _ in points) / count
    middle_figure = sum(figure for _, figure in points) / count
    spread = sum((time - middle_time) ** 2 for time, _ in points)
    if spread == 0:
        return 0.0
    return sum((time - middle_time) * (figure - middle_figure) for time, figure in points) / spread


def warmed_up(points: Sequence[tuple[float, float]], seconds: float = WARM_UP_SECONDS) -> list[tuple[float, float]]:
    """Without the first time of a process; of a short run its later half."""
    if not points:
        return []
    begin, end = points[0][0], points[-1][0]
    since = begin + min(seconds, (end - begin) / 2)
    return [point for point in points if point[0] >= since]
