"""Servers of a test's own, which it may kill: those of Scripts/mariadb."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCRIPTS = Path(__file__).parents[3] / "Scripts"
END_SECONDS = 20


class MariaDB:
    """A MariaDB below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        """Starts it; at its old address when it ran before."""
        script("mariadb", "start", str(self.folder))

    def kill(self) -> None:
        """Ends it as a power cut would, and waits until it is gone."""
        pid = int((self.folder / "pid").read_text())
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + END_SECONDS
        while Path(f"/proc/{pid}").exists():
            assert time.monotonic() < deadline, "the server does not end"
            time.sleep(0.01)

    @property
    def url(self) -> str:
        return (self.folder / "url").read_text().strip()


@contextmanager
def mariadb(folder: Path) -> Iterator[MariaDB]:
    """Lends a server, and removes it."""
    try:
        yield MariaDB(folder)
    finally:
        script("mariadb", "stop", str(folder))


def script(name: str, *arguments: str) -> str:
    """Runs one of the project's scripts; what it prints."""
    done = subprocess.run([SCRIPTS / name, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{name} {arguments}: {done.stderr}"
    return done.stdout
