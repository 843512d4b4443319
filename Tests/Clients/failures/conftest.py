"""What the tests of failures share: empty databases on the engines of this run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from server_database import ServerDatabase

SERVERS = {"MariaDB": "TEST_MARIADB_URL", "Galera": "TEST_GALERA_URL", "MySQL": "TEST_MYSQL_URL"}


@pytest.fixture(params=[engine for engine, variable in SERVERS.items() if os.environ.get(variable)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerDatabase]:
    """An empty database on each server whose URL is in the environment."""
    database = ServerDatabase(tmp_path, os.environ[SERVERS[request.param]])
    yield database
    database.drop()
