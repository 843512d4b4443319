"""Registries for the security suite: started with access control on, stopped and read for secrets at the end."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registry import Registry, command

Start = Callable[..., Registry]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts registries on one SQLite database, with an administrator's token."""
    key = command(tmp_path, "keys", "generate").stdout.strip()
    settings = {
        "DATABASE_URL": "sqlite:///./registry.db",
        "REGISTRY_KEY": key,
        "REGISTRY_ADMIN_TOKEN": f"canary-admin-{uuid.uuid4().hex}",
        "MCP_HOST": "127.0.0.1",
        "DISCOVERY_ALLOW_PRIVATE": "true",
    }
    migrated = command(tmp_path, "migrate", "up", **settings)
    assert migrated.returncode == 0, migrated
    running: list[Registry] = []

    def started(**more: str) -> Registry:
        running.append(Registry(tmp_path, settings=settings | more, secrets=[key]))
        return running[-1]

    try:
        yield started
        for server in running:
            server.stop()
    finally:
        for server in running:
            server.process.kill()
            server.process.wait()
