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
SECONDS_AFTER_MAX = 30
CLIENTS = 4
PAUSE_SECONDS = 0.02
# So many answers tell how it is without load; as many before them may still be slow from what was before.
ANSWERS_BEFORE = 200
ANSWER_SECONDS = 60
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

    def await_answers(self, count: int) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        while len(self.asked) < count:
            if time.monotonic() > deadline:
                raise Failure(f"{len(self.asked)} answers in {ANSWER_SECONDS} s without load")
            time.sleep(PAUSE_SECONDS)

    def stop(self) -> list[Asked]:
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        return self.asked


def overload(server: Server, line: Line) -> list[Single]:
    """`line` is one of the GET requests."""
    clients = Clients(server, line)
    try:
        clients.await_answers(2 * ANSWERS_BEFORE)
        normal = clients.asked[ANSWERS_BEFORE : 2 * ANSWERS_BEFORE]
        request = line.template.text(server.url.removeprefix("http://"))
        began = time.monotonic()
        load = wrk.run(server.url, request, line.dataset.sizes, CONNECTIONS, SECONDS, allowed_errors=wrk.ERRORS)
        ended = time.monotonic()
        back = None
        while back is None and time.monotonic() < ended + SECONDS_AFTER_MAX:
            time.sleep(PAUSE_SECONDS)
            back = recovery(clients.asked, ended, time.monotonic(), quantile(normal, 0.5))
    finally:
        asked = clients.stop()
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
    if back is None:
        raise Failure(f"no second was as before in {SECONDS_AFTER_MAX} s after the load")
    return [*singles, Single("after: until a second is as before", back, "s", 1)]


def quantile(asked: list[Asked], share: float) -> float:
    if not asked:
        raise Failure("nothing was answered")
    times = sorted(each.seconds for each in asked)
    return times[min(len(times) - 1, int(share * len(times)))]


def recovery(asked: list[Asked], ended: float, now: float, normal: float) -> float | None:
    """Seconds from the end of the load to the first second that is as before; None as long as there is none."""
    start = ended
    while start + 1 <= now:
        second = [each for each in list(asked) if start <= each.began < start + 1]
        if second and all(each.is_accepted for each in second) and quantile(second, 0.5) <= NORMAL * normal:
            return start - ended
        start += 0.1
    return None
