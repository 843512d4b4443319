"""`make bench-growth`: the same requests on larger and larger data sets, many idle connections, too much load."""

import resource
import time
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import process
from dataset import Dataset
from deployment import Deployment, Failure, MariaDB, Server, mariadb_in
from idle import hold
from machine import facts
from measure import Subject
from overload import overload
from paths import PATHS, SERVICES
from report import Single, number, table
from result import Result
from rounds import Line
from targets import SERVER

# All of the data in memory: how a disk grows slow is not what is measured.
POOL = "2G"
POINTS = ["token", "role-for-user", "system-prompt", "tools-for-role", "mcp-get-tools"]
SLOWDOWN_MAX = 1.3
REASONS = {
    "mcp-get-tools": "the answers about all services don't fit into the memory kept for answers: others are read anew"
}
TOKENS_MAX = 1_000_000
# The size whose memory is looked at; it has all the tokens.
MEMORY_SIZE = 10_000
# The size with which connections and overload are tried, and the least whose list is long enough to be compared.
USUAL_SIZE = 1_000
LIST_TIMES = 5


@dataclass(frozen=True)
class Grown:
    """A server on a data set with so many services, tools and users."""

    size: int
    deployment: Deployment
    server: Server
    lines: list[Line]


def sizes(largest: int) -> list[int]:
    """100 and tenfold, up to the largest."""
    found = [100]
    while found[-1] * 10 <= largest:
        found.append(found[-1] * 10)
    return found


def dataset_of(size: int) -> Dataset:
    return Dataset(services=size, tools_per_service=1, users=size, tokens=min(TOKENS_MAX, size * size // 100))


def growth(arguments: Namespace, folder: Path) -> Result:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with mariadb_in(folder, POOL) as mariadb, ExitStack() as stack:
        result = Result(facts(mariadb, dataset_of(sizes(arguments.largest)[-1])))
        grown = [_grown(stack, folder, size, mariadb) for size in sizes(arguments.largest)]
        _points(grown, arguments, result)
        _lists(grown, result)
        _memory(grown, result)
        usual = next(each for each in grown if each.size == min(USUAL_SIZE, arguments.largest))
        for other in grown:
            if other is not usual:
                other.server.stop()
        for what in [hold, overload]:
            try:
                result.singles += what(usual.server, usual.lines[0])
            except Failure as failure:
                result.fail(f"{what.__name__}: {failure}")
        return result


def _grown(stack: ExitStack, folder: Path, size: int, mariadb: MariaDB) -> Grown:
    dataset = dataset_of(size)
    deployment = Deployment(folder / f"size-{size}", dataset, mariadb)
    server = stack.enter_context(deployment.server())
    lines = []
    for path in [path for path in PATHS if path.name in POINTS]:
        template = path.template.with_headers(server.authorization)
        line = Line(path, server, dataset, template)
        line.takes[SERVER] = Subject(server.url, server.pid, template, dataset.sizes, mariadb).sample
        lines.append(line)
    return Grown(size, deployment, server, sorted(lines, key=lambda line: POINTS.index(line.path.name)))


def _points(grown: list[Grown], arguments: Namespace, result: Result) -> None:
    """Answers of the same size, whatever there is beside what they are made of."""
    connections = arguments.connections[0]
    for _ in range(arguments.rounds):
        for place in range(len(POINTS)):
            for each in grown:
                line = each.lines[place]
                try:
                    if not line.failure:
                        line.measure(connections, arguments.seconds)
                except Failure as failure:
                    line.failure = str(failure)
                    result.fail(f"{line.path.title} with {each.size:,}: {failure}")
        for each in grown:
            each.server.forget_log()
    rows = []
    for place in range(len(POINTS)):
        of_sizes = [each.lines[place].figures(connections).get(SERVER) for each in grown]
        path = grown[0].lines[place].path
        if not all(of_sizes):
            continue
        rates = [sample.per_second for sample in of_sizes if sample]
        cpu = [(sample.cpu_us or 0) + (sample.database_us or 0) for sample in of_sizes if sample]
        what, reason = f"{path.title}: req/s, the smallest over the largest", REASONS.get(path.name, "")
        result.singles.append(Single(what, rates[0] / rates[-1], "×", SLOWDOWN_MAX, reason=reason))
        rows.append(
            [path.title, *[f"{rate:,.0f} ({us:,.0f})" for rate, us in zip(rates, cpu)], f"{cpu[-1] / cpu[0]:.2f}×"]
        )
    counts = [f"{each.size:,}" for each in grown]
    header = [f"req/s (µs of server and db), {connections} conn.", *counts, "µs grow by"]
    result.tables.append(table(header, rows))
    for each in grown:
        result.samples += [
            {"size": each.size, "path": line.path.name, "connections": connections} | asdict(sample)
            for line in each.lines
            for samples in line.samples.values()
            for sample in samples
        ]


def _lists(grown: list[Grown], result: Result) -> None:
    """How long the list of all services takes, for each byte of it."""
    rows, per_byte = [], {}
    for each in grown:
        try:
            length, first, taken = _list_times(each)
        except Failure as failure:
            result.fail(f"the list of {each.size:,} services: {failure}")
            continue
        per_byte[each.size] = taken / length * 1e9
        times = [first * 1e3, taken * 1e3, per_byte[each.size]]
        rows.append([f"{each.size:,}", f"{length:,}", *[number(figure, 1) for figure in times]])
    result.tables.append(table(["services", "bytes", "first ms", "ms", "ns/byte"], rows))
    long = {size: figure for size, figure in per_byte.items() if size >= USUAL_SIZE}
    if len(long) > 1:
        growth_of_bytes = long[max(long)] / long[min(long)]
        result.singles.append(Single("GET /list_services: time for a byte", growth_of_bytes, "×", SLOWDOWN_MAX))


def _list_times(grown: Grown) -> tuple[int, float, float]:
    """Bytes, seconds of the first answer and of a usual one."""
    times = []
    for _ in range(1 + LIST_TIMES):
        began = time.monotonic()
        answer = grown.server.get(SERVICES.target)
        times.append(time.monotonic() - began)
        if answer.status != 200 or len(answer.json["services"]) != grown.size:
            raise Failure(f"{answer.status} after {times[-1]:.1f} s: {answer.text[:200]}")
    return len(answer.text), times[0], median(times[1:])


def _memory(grown: list[Grown], result: Result) -> None:
    for each in grown:
        if each.size == MEMORY_SIZE:
            rss = process.status(each.server.pid)["rss"]
            result.singles.append(Single("RSS after 10⁶ tokens and 10⁴ services, listed too", rss, "MiB", 120))
