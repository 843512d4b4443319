"""Many clients that stay connected and ask nothing, while one asks."""

import random
import resource
import select
import time
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import process
from deployment import Failure, Server
from registry import exchange
from report import Single
from rounds import Line

CONNECTIONS = 10_000
# Files that this process and the server have open beside those connections.
SPARE_FILES = 500
ASKED = 500
ASKED_AGAIN = 100


def hold(server: Server, line: Line) -> list[Single]:
    """Holds connections, asks over another one, and proves that those held are still good."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(CONNECTIONS, most - SPARE_FILES)
    address = urlsplit(server.url)

    def connection() -> HTTPConnection:
        made = HTTPConnection(address.hostname or "", address.port, timeout=30)
        made.connect()
        made.auto_open = 0  # once it is closed it stays so
        return made

    with ExitStack() as stack:
        held = [stack.enter_context(closing(connection())) for _ in range(count)]
        for each in held:
            exchange(each, "GET", "/health")
        memory = process.status(server.pid)
        with closing(connection()) as asking:
            times = [_seconds(asking, line) for _ in range(ASKED)]
        _all_open(held)
        for each in random.sample(held, min(ASKED_AGAIN, count)):
            if exchange(each, "GET", "/health").status != 200:
                raise Failure("a connection that was held is no longer served")
    with closing(connection()) as asking:
        afterwards = _seconds(asking, line)
    times.sort()
    return [
        Single("idle connections held", count, "connections", CONNECTIONS, at_least=True),
        Single("RSS then", memory["rss"], "MiB"),
        Single("threads then", memory["threads"], "threads"),
        Single(f"{line.path.title} meanwhile, p50", times[len(times) // 2] * 1e3, "ms"),
        Single(f"{line.path.title} meanwhile, p99", times[len(times) * 99 // 100] * 1e3, "ms"),
        Single("the first answer after all have hung up at once", afterwards * 1e3, "ms"),
    ]


def _seconds(connection: HTTPConnection, line: Line) -> float:
    """How long a right answer takes."""
    number = random.randrange(line.dataset.tokens)
    request = line.template.filled(line.dataset.pick(number))
    began = time.monotonic()
    answer = exchange(
        connection, request.method, request.target, request.body.encode() or None, **dict(request.headers)
    )
    taken = time.monotonic() - began
    if not line.path.is_right(answer, line.dataset, number):
        raise Failure(f"beside idle connections: {answer.status} {answer.text[:200]}")
    return taken


def _all_open(held: list[HTTPConnection]) -> None:
    """Nothing has come over them: no answer is due, so it would be their end."""
    poll = select.poll()
    for each in held:
        poll.register(each.sock, select.POLLIN)
    if ended := poll.poll(0):
        raise Failure(f"{len(ended)} of {len(held)} idle connections were closed")
