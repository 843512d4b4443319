"""One run under load, and everything that is read off around it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import process
import wrk
from deployment import MariaDB
from paths import Template
from targets import Sample


@dataclass(frozen=True)
class Subject:
    """A program, what it is asked, and the database behind it, if its share is of interest."""

    url: str
    pid: int
    template: Template
    sizes: dict[str, int]
    mariadb: MariaDB | None = None

    def load(self, connections: int, seconds: int) -> wrk.Load:
        request = self.template.text(self.url.removeprefix("http://"))
        return wrk.run(self.url, request, self.sizes, connections, seconds)

    def sample(self, connections: int, seconds: int) -> Sample:
        """The figures of a run."""

        def run() -> tuple[Sample, int]:
            began = process.cpu_seconds(self.pid)
            load = self.load(connections, seconds)
            own = process.cpu_seconds(self.pid) - began
            return Sample(load.per_second, load.p50_ms, load.p99_ms, own / load.requests * 1e6), load.requests

        return beside_database(self.mariadb, run) if self.mariadb else run()[0]


def beside_database(mariadb: MariaDB, run: Callable[[], tuple[Sample, int]]) -> Sample:
    """The figures of a run of so many requests, and what the database did meanwhile, for whomever, for each of them."""
    questions, began = mariadb.questions(), process.cpu_seconds(mariadb.pid)
    sample, requests = run()
    database = process.cpu_seconds(mariadb.pid) - began
    asked = mariadb.questions() - questions - mariadb.own_questions
    return replace(sample, database_us=database / requests * 1e6, round_trips=asked / requests)
