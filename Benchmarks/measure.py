"""One run under load, and everything that is read off around it."""

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
        """The figures of a run. Time that the database takes for others than this program is not told apart."""
        questions = self.mariadb.questions() if self.mariadb else 0
        before = self._cpu()
        load = self.load(connections, seconds)
        own, database = (after - earlier for after, earlier in zip(self._cpu(), before))
        sample = Sample(load.per_second, load.p50_ms, load.p99_ms, own / load.requests * 1e6)
        if not self.mariadb:
            return sample
        asked = self.mariadb.questions() - questions - self.mariadb.own_questions
        return replace(sample, database_us=database / load.requests * 1e6, round_trips=asked / load.requests)

    def _cpu(self) -> tuple[float, float]:
        database = process.cpu_seconds(self.mariadb.pid) if self.mariadb else 0.0
        return process.cpu_seconds(self.pid), database
