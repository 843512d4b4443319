"""Measures everything several times in turn, so that what else the machine does meets all alike."""

import random
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path as Folder

import ceilings
from dataset import Dataset
from deployment import Deployment, Failure, MariaDB, Server
from measure import Subject, beside_database
from paths import PATHS, SERVICES, TOKEN, Path, Template
from registry import Answer
from targets import HUMMINGBIRD, MARIADB, POOL_SIZE, SELECT_ALL, SELECT_POOL, SERVER, Sample, medians

WARM_UP_SECONDS = 1
NGINX_SMALL, NGINX_LARGE = "nginx-small", "nginx-large"

Take = Callable[[int, int], Sample]
"""Takes a sample over so many connections for so many seconds."""


@dataclass
class Line:
    """A path on a server, and what was measured so far: samples by who was measured and over how many connections."""

    path: Path
    server: Server
    dataset: Dataset
    template: Template
    takes: dict[str, Take] = field(default_factory=dict)
    samples: dict[tuple[str, int], list[Sample]] = field(default_factory=dict)
    failure: str = ""

    def check(self) -> Answer:
        """One request for names that nobody has foreseen, whose answer has to be right."""
        return checked(self.path, self.template, self.server, self.dataset)

    def measure(self, connections: int, seconds: int) -> None:
        """The server and each of its ceilings, one after the other."""
        for who, take in self.takes.items():
            taken = self.samples.setdefault((who, connections), [])
            if who == SERVER:
                self.check()
            if not taken:
                take(connections, WARM_UP_SECONDS)
            taken.append(take(connections, seconds))
            if who == SERVER and self.path.not_modified:
                self.check()  # or it would have measured whole answers

    def figures(self, connections: int) -> dict[str, Sample]:
        """The medians by who was measured."""
        return {who: medians(taken) for (who, count), taken in self.samples.items() if count == connections and taken}


def checked(path: Path, template: Template, server: Server, dataset: Dataset) -> Answer:
    number = random.randrange(dataset.tokens)
    request = template.filled(dataset.pick(number))
    answer = server.ask(request.method, request.target, request.body, dict(request.headers))
    try:
        is_right = path.is_right(answer, dataset, number)
    except (KeyError, TypeError, ValueError):
        is_right = False
    if not is_right:
        raise Failure(f"{path.title} for {request.target} is not right: {answer.status} {answer.text[:300]}")
    return answer


class Skipped(Exception):
    """Why something can't be measured here."""


class Run:
    """All lines of one run, on the servers and beside the ceilings that they need."""

    def __init__(self, stack: ExitStack, folder: Folder, dataset: Dataset, mariadb: MariaDB) -> None:
        self.stack, self.folder, self.dataset, self.mariadb = stack, folder, dataset, mariadb
        self.deployment = Deployment(folder / "registry", dataset, mariadb)
        self.server = stack.enter_context(self.deployment.server())
        self.lines: list[Line] = []
        self.wire: dict[tuple[str, int], list[Sample]] = {}
        self.notes: list[str] = []
        self.select: ceilings.PointSelect | None = None

    def prepare(self, names: list[str]) -> None:
        """Starts what the paths of those names need beside the server."""
        if not ceilings.has_hummingbird():
            self.notes.append(
                f"Hummingbird was not measured: there is no {ceilings.HUMMINGBIRD.name} (MCP_REGISTRY_CEILING names it)"
            )
        for path in [path for path in PATHS if path.name in names]:
            try:
                self.lines.append(self._line(path))
            except Skipped as reason:
                self.notes.append(f"{path.title} was not measured: {reason}")
        self._prepare_wire()

    def _line(self, path: Path) -> Line:
        server = self._server(path)
        template = path.template.with_headers(server.authorization)
        if path.not_modified:
            tag = server.get(path.template.target).headers.get("ETag")
            if not tag:
                raise Skipped("the server sends no ETag")
            template = template.with_headers({"If-None-Match": tag})
        line = Line(path, server, self.dataset, template)
        mariadb = None if path.on_sqlite else self.mariadb
        line.takes[SERVER] = Subject(server.url, server.pid, template, self.dataset.sizes, mariadb).sample
        if path.has_ceiling and ceilings.has_hummingbird():
            line.takes[HUMMINGBIRD] = self._hummingbird(line).sample
        if path.is_point:
            line.takes[SELECT_POOL] = lambda _, seconds: self._select(POOL_SIZE, seconds)
            line.takes[SELECT_ALL] = self._select
        return line

    def _server(self, path: Path) -> Server:
        if path.settings:
            return self.stack.enter_context(self.deployment.server(**path.settings))
        if path.on_sqlite:
            return self.stack.enter_context(Deployment(self.folder / "sqlite", self.dataset, None).server())
        return self.server

    def _hummingbird(self, line: Line) -> Subject:
        """The same requests, answered from memory with what the server answers to one of them.

        For a 304, with what would be sent without it.
        """
        answer = line.server.get(line.path.template.target) if line.path.not_modified else line.check()
        folder = self.folder / f"hummingbird-{line.path.name}"
        serving = self.stack.enter_context(ceilings.hummingbird(folder, answer.text, answer.type))
        return Subject(serving.url, serving.pid, replace(line.template, target="/"), self.dataset.sizes)

    def _select(self, connections: int, seconds: int) -> Sample:
        if not self.select:
            self.select = ceilings.PointSelect(self.folder)
        assert self.deployment.database
        select, database = self.select, self.deployment.database

        def run() -> tuple[Sample, int]:
            selects = select.run(database, self.dataset, connections, seconds)
            return Sample(selects.per_second, cpu_us=selects.cpu_us), selects.count

        return beside_database(self.mariadb, run)

    def _prepare_wire(self) -> None:
        """Nginx, with a small answer and the list of services."""
        self.wire_takes: dict[str, Take] = {}
        program = ceilings.nginx_program()
        if not program:
            self.notes.append("nginx was not measured: run Scripts/install-packages bench")
            return
        token = TOKEN.filled(self.dataset.pick(0)).target
        bodies = {NGINX_SMALL: self.server.get(token).text, NGINX_LARGE: self.server.get(SERVICES.target).text}
        serving = self.stack.enter_context(ceilings.nginx(program, self.folder / "nginx", bodies))
        for name in bodies:
            template = Template("GET", f"/{name}").with_headers(self.server.authorization)
            self.wire_takes[name] = Subject(serving.url, serving.pid, template, self.dataset.sizes).sample

    def measure(self, rounds: int, connections: list[int], seconds: int) -> None:
        """A path that has failed is not measured further."""
        for number in range(1, rounds + 1):
            for count in connections:
                for line in self.lines:
                    self._tell(f"round {number} of {rounds}, {count} connections: {line.path.title}")
                    try:
                        if not line.failure:
                            line.measure(count, seconds)
                    except Failure as failure:
                        line.failure = str(failure)
                        self.notes.append(f"{line.path.title} FAILED: {failure}")
                for name, take in self.wire_takes.items():
                    self.wire.setdefault((name, count), []).append(take(count, seconds))
            for server in {id(line.server): line.server for line in self.lines}.values():
                server.forget_log()
        self._tell("")

    @staticmethod
    def _tell(text: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

    def figures(self, line: Line, connections: int) -> dict[str, Sample]:
        """What a line's targets are judged by."""
        figures = line.figures(connections)
        token = next((other for other in self.lines if other.path.name == "token"), None)
        if line.path.on_sqlite and token and (own := token.figures(connections).get(SERVER)):
            figures[MARIADB] = own
        return figures
