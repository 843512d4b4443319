"""The registries that the wire suite speaks to. A plugin, so that all its modules share them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import deploy
from endpoint import Endpoint
from registry import Registry, command
from specification import validated

ADMIN_TOKEN = "an-administrator-of-the-wire-suite"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many messages were held against which schema."""
    terminalreporter.section("messages validated")
    for name, count in sorted(validated.items()):
        terminalreporter.write_line(f"{count:7}  {name}")


@pytest.fixture(scope="session", params=["SQLite"])
def mcp(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The endpoint of a registry without access control, as `make run` starts it."""
    for deployment in deploy(request.param, tmp_path_factory.mktemp("open")):
        yield Endpoint(deployment.first)


@pytest.fixture(scope="session")
def guarded(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The endpoint of a registry with access control, on each engine."""
    folder = tmp_path_factory.mktemp("guarded")
    if engine == "MariaDB":
        for deployment in deploy(engine, folder):
            yield Endpoint(deployment.first)
        return
    server = production(folder)
    try:
        yield Endpoint(server)
        server.stop()
    finally:
        server.process.kill()
        server.process.wait()


def production(folder: Path, **settings: str) -> Registry:
    """A registry as one is deployed, with access control, on SQLite."""
    settings = {
        "DATABASE_URL": "sqlite:///./production.db",
        "REGISTRY_KEY": command(folder, "keys", "generate").stdout.strip(),
        "REGISTRY_ADMIN_TOKEN": ADMIN_TOKEN,
        "MCP_HOST": "127.0.0.1",
        # What one test asks wrongly or often is no matter of the others'.
        "DISCOVERY_RATE_LIMIT": "0",
        "FAILED_LOGIN_LIMIT": "0",
    } | settings
    migrated = command(folder, "migrate", "up", DATABASE_URL=settings["DATABASE_URL"])
    assert migrated.returncode == 0, migrated
    return Registry(folder, settings=settings)
