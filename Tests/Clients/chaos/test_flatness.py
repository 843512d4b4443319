"""What grows is told from what only wobbles."""

import random

from flatness import slope, trend, warmed_up


def test_what_grows_is_not_flat() -> None:
    growing = [(float(second), 100 + second / 10) for second in range(600)]
    assert not trend(growing, tolerance=10).is_flat
    assert round(trend(growing, tolerance=10).slope_per_hour) == 360


def test_what_wobbles_is_flat() -> None:
    chance = random.Random(1)
    wobbling = [(float(second), 100 + chance.uniform(-5, 5)) for second in range(600)]
    assert trend(wobbling, tolerance=10).is_flat


def test_a_peak_is_no_trend() -> None:
    peak = [(float(second), 500.0 if second == 300 else 100.0) for second in range(600)]
    assert trend(peak, tolerance=10).is_flat
    assert trend(peak, tolerance=10).highest == 500


def test_the_warm_up_does_not_count() -> None:
    points = [(float(second), min(second, 100.0)) for second in range(600)]
    assert trend(warmed_up(points), tolerance=1).is_flat
    assert warmed_up(points[:60])[0] == (30.0, 30.0)
    assert warmed_up([]) == []
    assert slope([(1.0, 2.0)]) == 0
