"""More than can be served: how much is turned away, how long what is accepted takes, and when all is as before.

The load generator asks over very many connections, each again as soon as it has an answer. A few clients beside it ask
at a steady pace, before, meanwhile and after, and what they see is judged: the load generator does not tell accepted
answers from others in its times.
"""

import random
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import wrk
from deployment import Failure, Server
from registry import exchange
from report import Single
from rounds import Line

CONNECTIONS = 2_000
SECONDS = 8
SECONDS_BEFORE, SECONDS_AFTER = 3, 10
CLIENTS = 4
PAUSE_SECONDS = 0.02
# As before is a second in which everything is accepted, and the median is at most so many times what it was.
NORMAL = 2.0


@dataclass(frozen=True)
class Asked:
    """A request of the steady clients; status 0 when no answer came."""

    began: float
    seconds: float
    status: int

    @property
    def is_accepted(self) -> bool:
        return self.status == 200


class Clients:
    """Ask until they are stopped."""

    def __init__(self, server: Server, line: Line) -> None:
        self.server, self.line = server, line
        self.asked: list[Asked] = []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _ask(self) -> None:
        address = urlsplit(self.server.url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=30)
        while not self.is_over.is_set():
            request = self.line.template.filled(self.line.dataset.pick(random.randrange(self.line.dataset.tokens)))
            began = time.monotonic()
            try:
                answer = exchange(connection, request.method, request.target, None, **dict(request.headers))
                status = answer.status
            except (OSError, HTTPException):
                connection.close()
                status = 0
            self.asked.append(Asked(began, time.monotonic() - began, status))
            self.is_over.wait(PAUSE_SECONDS)
        connection.close()

    def stop(self) -> list[Asked]:
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        return self.asked


def overload(server: Server, line: Line) -> list[Single]:
    """`line` is one of the GET requests."""
    clients = Clients(server, line)
    try:
        time.sleep(SECONDS_BEFORE)  # the steady clients' own time, not a wait for something
        request = line.template.text(server.url.removeprefix("http://"))
        began = time.monotonic()
        load = wrk.run(server.url, request, line.dataset.sizes, CONNECTIONS, SECONDS, allowed_errors=wrk.ERRORS)
        ended = time.monotonic()
        time.sleep(SECONDS_AFTER)
    finally:
        asked = clients.stop()
    normal = [each for each in asked if each.began + each.seconds < began]
    meanwhile = [each for each in asked if began + 1 < each.began < ended - 1]
    accepted = [each for each in meanwhile if each.is_accepted]
    turned_away = sum(each.status == 503 for each in meanwhile)
    refused = load.errors["status"]
    broken = sum(load.errors.values()) - refused
    singles = [
        Single(f"overload ({CONNECTIONS:,} connections): answers", load.per_second, "/s"),
        Single("overload: accepted", (load.requests - refused) / load.seconds, "/s"),
        Single("overload: turned away", 100 * refused / load.requests, "%"),
        Single("overload: connections that broke or timed out", broken, "errors", 0),
        Single("overload: the steady clients' requests turned away", 100 * turned_away / max(1, len(meanwhile)), "%"),
        Single("overload: neither accepted nor 503", len(meanwhile) - len(accepted) - turned_away, "requests", 0),
        Single("before: p50", quantile(normal, 0.5) * 1e3, "ms"),
        Single("before: p99", quantile(normal, 0.99) * 1e3, "ms"),
    ]
    if accepted:
        singles.append(Single("overload: p50 of what is accepted", quantile(accepted, 0.5) * 1e3, "ms"))
        singles.append(Single("overload: p99 of what is accepted", quantile(accepted, 0.99) * 1e3, "ms"))
    back = recovery([each for each in asked if each.began >= ended], ended, quantile(normal, 0.5))
    # Longer than was looked at: it has not come back.
    singles.append(Single("after: until a second is as before", SECONDS_AFTER if back is None else back, "s", 1))
    return singles


def quantile(asked: list[Asked], share: float) -> float:
    if not asked:
        raise Failure("nothing was answered")
    times = sorted(each.seconds for each in asked)
    return times[min(len(times) - 1, int(share * len(times)))]


def recovery(asked: list[Asked], ended: float, normal: float) -> float | None:
    """Seconds from the end of the load to the first second that is as before; None when there is none."""
    steps = int((SECONDS_AFTER - 1) * 10)
    for step in range(steps + 1):
        start = ended + step / 10
        second = [each for each in asked if start <= each.began < start + 1]
        if second and all(each.is_accepted for each in second) and quantile(second, 0.5) <= NORMAL * normal:
            return step / 10
    return None
