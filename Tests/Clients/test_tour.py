"""The tour of the README runs as it is written."""

import os
import re
import shutil
import subprocess

from conftest import PROJECT, Deployment
from registry import free_port

TOUR_SECONDS = 300
TOKEN = "my-secret-pizza-token"


def blocks() -> list[str]:
    """Every `sh` block of the tour."""
    readme = (PROJECT / "README.md").read_text()
    tour = re.search(r"<!-- tour:begin -->(.*)<!-- tour:end -->", readme, re.DOTALL)
    assert tour, "README.md has no tour"
    found = re.findall(r"^```sh\n(.*?)^```$", tour[1], re.DOTALL | re.MULTILINE)
    assert len(found) >= 5
    return found


def test_the_tour_ends_with_the_stored_token(fresh: Deployment) -> None:
    server = fresh.first
    fresh.secrets.append(TOKEN)
    folder = server.log.parent  # where `serve` put dev.db, as it does for who follows the tour
    for part in ["Examples", "Scripts"]:
        shutil.copytree(PROJECT / part, folder / part)
    commands = blocks()
    if fresh.engine != "SQLite":
        assert "dev.db" in commands[-2]
        del commands[-2]  # the look into dev.db; done below for any database
    environment = os.environ | {
        "REGISTRY": server.url,
        "REGISTRY_ADMIN_TOKEN": server.admin_token or "",
        "DEMO_PORT": str(free_port()),
    }
    tour = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", "\n".join(commands)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TOUR_SECONDS,
        check=False,
    )
    assert tour.returncode == 0, tour
    assert '"isError":true' not in tour.stdout
    assert f'{{"token":"{TOKEN}","method_authorization":"Bearer"}}' in tour.stdout.splitlines()
    assert TOKEN not in fresh.dump()
