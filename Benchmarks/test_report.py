"""Medians, targets and tables, over figures made by hand."""

import pytest

import process
import wrk
from growth import dataset_of, sizes
from overload import Asked, recovery
from report import HEADER, Judgement, Single, missed, path_row, table
from targets import HUMMINGBIRD, POINT, SELECT_POOL, SERVER, SQLITE, Sample, Target, medians, rate_ratio

OWN = Sample(per_second=6_000, p50_ms=5, p99_ms=9, cpu_us=150, database_us=80, round_trips=1.01)
OTHERS = {SELECT_POOL: Sample(10_000, cpu_us=30), HUMMINGBIRD: Sample(20_000, 1, 2, 50)}


def test_cpu_time_is_found_behind_a_name_with_blanks_and_brackets() -> None:
    assert process.parse_stat("7 (a b) c) S 1 7 7 0 -1 4194304 90 0 0 0 120 34 0 0 20 0 9 0 1 2 3") == 154


def test_memory_is_in_mebibytes() -> None:
    told = process.parse_status("Name:\tx\nVmHWM:\t    4096 kB\nVmRSS:\t    2048 kB\nThreads:\t14\n")
    assert told == {"rss": 2, "rss_max": 4, "threads": 14}


def test_what_the_load_generator_tells_is_read_between_its_other_words() -> None:
    line = '{"requests":200,"microseconds":2000000,"bytes":9,"p50":1500,"p99":3000,"errors":{"status":1}}'
    load = wrk.parse(f"Running 2s test @ http://x\n  1 threads\n\n{line}\n")
    assert (load.per_second, load.p50_ms, load.p99_ms, load.errors) == (100, 1.5, 3, {"status": 1})


def test_medians_are_taken_of_each_figure_by_itself_and_of_what_was_measured() -> None:
    samples = [Sample(1, 30, cpu_us=7), Sample(3, 10, cpu_us=5), Sample(2, 20)]
    assert medians(samples) == Sample(2, 20, None, 6)


def test_a_path_is_judged_by_all_its_targets() -> None:
    verdicts = [target.judge({SERVER: OWN} | OTHERS) for target in POINT]
    assert [verdict.is_met for verdict in verdicts] == [True, False, True, True]
    row = dict(zip(HEADER, path_row("GET /token", 32, [OWN, OWN], verdicts)))
    assert (row["req/s"], row["all rounds"], row["db round trips"]) == ("6,000", "6,000–6,000", "1.01")
    assert row["ratio"] == "0.60 of C, 3.00× CPU, 6,000/s, 1.01 trips"
    assert row["target"] == "≥ 0.5 of C, ≤ 2.5× CPU, ≥ 5,000/s, ≤ 1 trips"
    assert row["met?"] == "yes, NO, yes, yes"


def test_what_could_not_be_measured_is_neither_met_nor_missed() -> None:
    verdicts = [target.judge({SERVER: OWN}) for target in SQLITE]
    assert [(verdict.ratio, verdict.word) for verdict in verdicts] == [("–", "?")]
    assert missed([Judgement("x", verdict) for verdict in verdicts], []) == []


@pytest.mark.parametrize(("value", "is_met"), [(150, True), (151, False)])
def test_a_single_figure_may_be_its_bound(value: float, is_met: bool) -> None:
    single = Single("start", value, "ms", 150)
    assert single.is_met is is_met
    assert missed([], [single]) == ([] if is_met else ["start: 151 ms, not ≤ 150 ms"])


@pytest.mark.parametrize(("reason", "told"), [("", ""), ("it writes", " (it writes)")])
def test_what_is_missed_is_named_with_its_reason(reason: str, told: str) -> None:
    verdict = Target(" of C", 0.9, rate_ratio, SELECT_POOL).judge({SERVER: OWN} | OTHERS)
    single = Single("start", 151, "ms", 150, reason=reason)
    assert missed([Judgement("GET /token", verdict, reason)], [single]) == [
        f"GET /token: 0.60 of C, not ≥ 0.9 of C{told}",
        f"start: 151 ms, not ≤ 150 ms{told}",
    ]


def test_the_columns_of_a_table_stand_below_one_another() -> None:
    lines = table(["a", "b"], [["long", "1"], ["x", "22"]]).splitlines()
    assert lines == ["| a    | b  |", "|------|----|", "| long | 1  |", "| x    | 22 |"]


def test_data_sets_grow_tenfold_up_to_a_million_tokens() -> None:
    assert [dataset_of(size).tokens for size in sizes(100_000)] == [100, 10_000, 1_000_000, 1_000_000]


def test_recovery_is_the_first_second_in_which_all_is_as_before() -> None:
    asked = [Asked(100 + number / 10, 0.01, 200) for number in range(90)]
    assert recovery(asked, 100, 109, 0.01) == 0
    asked[3] = Asked(100.3, 0.001, 503)
    assert recovery(asked, 100, 109, 0.01) == pytest.approx(0.4)
    assert recovery(asked, 100, 101.2, 0.01) is None, "the second is not over"
    assert recovery([Asked(each.began, 0.03, 200) for each in asked], 100, 109, 0.01) is None
