"""How often the server asks for memory for each request: a program's time hides what a profile can do without."""

import sys
from pathlib import Path

from ceilings import output_of
from measure import Subject
from report import Single
from rounds import Run

CONNECTIONS = 32
SECONDS = 1


class Counter:
    """Counts the allocations of a program that is started with its settings."""

    def __init__(self, folder: Path) -> None:
        """Compiles what is loaded into the program."""
        library = folder / "allocations.so"
        source = Path(__file__).with_suffix(".c")
        output_of("cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(library), str(source))
        self.file = folder / "allocations"
        self.settings = {"LD_PRELOAD": str(library), "ALLOCATIONS_FILE": str(self.file)}

    @property
    def count(self) -> int:
        return int.from_bytes(self.file.read_bytes(), sys.byteorder)


def allocations(run: Run) -> list[Single]:
    """Of all paths, on servers of their own, since counting takes time."""
    counter = Counter(run.folder)
    lines = [line for line in run.lines if not line.path.on_sqlite]
    singles = []
    for audit in dict.fromkeys(line.path.audit for line in lines):
        alike = [line for line in lines if line.path.audit == audit]
        with run.deployment.server(**alike[0].path.settings, **counter.settings) as server:
            for line in alike:
                subject = Subject(server.url, server.pid, line.template, run.dataset.sizes)
                singles.append(Single(f"{line.path.title}: for a request", _each(subject, counter), "allocations"))
    return singles


def _each(subject: Subject, counter: Counter) -> float:
    subject.load(CONNECTIONS, SECONDS)
    before = counter.count
    load = subject.load(CONNECTIONS, SECONDS)
    return (counter.count - before) / load.requests
