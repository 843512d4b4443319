"""The clients of this environment's SDKs use the registry, with access control and without."""

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client.sse import sse_client

from matrix import installed
from mcp_clients import CLIENTS, HAS_TWO_ERAS, Session, as_json, connect
from registry import Registry, command, kept

pytestmark = pytest.mark.anyio

STORY_SECONDS = 30
REFUSAL_SECONDS = 10
"""How long a client may take to say that it was refused. Those of fastmcp 2 wait for ever after some errors."""
AT_ONCE = 10
NEWEST = {(1, 6): "2024-11-05", (1, 16): "2025-06-18", (1, 27): "2025-11-25", (2, 3): "2026-07-28"}
"""The newest revision that each mcp knows, and the fastmcp upon it."""
LEGACY_CLIENTS = [client for client in CLIENTS if not HAS_TWO_ERAS or client.endswith("_legacy")]
NEWEST_LEGACY = "2025-11-25"
REFUSALS = ["401", "nauthorized", "Authorization: Bearer", "access token"]
"""What clients say when they are refused: the status, or our own words."""
if installed("mcp") >= (2, 0):
    # It reads our words only from an error with the member `id`. The schema of 2026-07-28 has that left out when no id
    # was read, and forbids null.
    REFUSALS.append("Server returned an error response")


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=["open", "guarded"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """open: as `make run` starts it; guarded: as in production, where a token is asked for."""
    folder = tmp_path_factory.mktemp(request.param)
    with kept(Registry(folder, "--dev") if request.param == "open" else guarded_registry(folder)) as registry:
        yield registry


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with kept(guarded_registry(tmp_path_factory.mktemp("refusing"))) as registry:
        yield registry


def guarded_registry(folder: Path) -> Registry:
    settings = {"DATABASE_URL": "sqlite:///registry.db", "MCP_HOST": "127.0.0.1"}
    settings["REGISTRY_KEY"] = command(folder, "keys", "generate").stdout.strip()
    migrated = command(folder, "migrate", "up", DATABASE_URL=settings["DATABASE_URL"])
    assert migrated.returncode == 0, migrated
    return Registry(folder, settings=settings | {"REGISTRY_ADMIN_TOKEN": f"canary-{uuid.uuid4().hex}"})


@asynccontextmanager
async def session_with(client: str, registry: Registry) -> AsyncIterator[Session]:
    with anyio.fail_after(STORY_SECONDS):
        async with connect(client, registry.mcp_url, registry.admin_token) as session:
            yield session


async def test_agrees_on_the_newest_revision_that_the_client_knows(client: str, registry: Registry) -> None:
    async with session_with(client, registry) as session:
        expected = NEWEST_LEGACY if client.endswith("_legacy") else NEWEST[installed("mcp")]
        assert session.version == expected


async def test_lists_all_tools_on_one_page_in_one_order(client: str, registry: Registry) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    expected = registry.http("POST", "/mcp", message).json["result"]["tools"]
    for _ in range(2):
        async with session_with(client, registry) as session:
            for _ in range(2):
                page = as_json(await session.page())
                assert "nextCursor" not in page
                assert [tool["name"] for tool in page["tools"]] == [tool["name"] for tool in expected]
                assert [tool["inputSchema"] for tool in page["tools"]] == [tool["inputSchema"] for tool in expected]
            assert [tool["name"] for tool in await session.tools()] == [tool["name"] for tool in expected]


async def test_calls_tools_that_answer_with_a_text_and_with_lists(client: str, registry: Registry, name: str) -> None:
    async with session_with(client, registry) as session:
        created = await session.call("create_role", role_name=name, default_system_prompt="Bon appétit 🍕")
        assert (created.is_error, created.texts) == (False, [f"Role with name='{name}' created"])
        assert created.value == created.texts[0]

        roles = await session.call("list_roles")
        assert not roles.is_error
        assert {"name": name, "default_system_prompt": "Bon appétit 🍕"} in roles.value
        assert json.loads(roles.texts[0]) == roles.value

        none = await session.call("get_tools", service_name=f"no {name}")
        assert (none.is_error, none.value, none.texts) == (False, [], [])


async def test_the_session_survives_errors_of_every_kind(client: str, registry: Registry, name: str) -> None:
    async with session_with(client, registry) as session:
        failed = await session.call("remove_role", role_name=f"no {name}")
        assert failed.is_error and f"no {name}" in failed.texts[0]
        for arguments, named in [({}, "role_name"), ({"role_name": 5}, "string"), ({"role_name": name, "x": 1}, "x")]:
            wrong = await session.call("create_role", **arguments)
            assert wrong.is_error and named in wrong.texts[0]
        with pytest.raises(Exception, match="no_such_tool"):
            await session.call("no_such_tool")
        with pytest.raises(Exception, match="(?i)not found"):
            await session.read("registry://no-such-resource")
        created = await session.call("create_role", role_name=name)
        assert not created.is_error


@pytest.mark.parametrize("client", LEGACY_CLIENTS)  # pings were removed in 2026-07-28
async def test_answers_pings(client: str, registry: Registry) -> None:
    async with session_with(client, registry) as session:
        assert await session.ping()


async def test_every_listed_resource_can_be_read(client: str, registry: Registry) -> None:
    async with session_with(client, registry) as session:
        listed = as_json(await session.resources())["resources"]
        assert "service_description" in [resource["name"] for resource in listed]
        for resource in listed:
            contents = await session.read(resource["uri"])
            assert len(contents) == 1
            assert contents[0]["uri"] == resource["uri"]
            assert contents[0]["mimeType"] == resource["mimeType"]
            assert contents[0]["text"]
            if resource["mimeType"] == "application/json":
                json.loads(contents[0]["text"])


async def test_there_are_no_prompts(client: str, registry: Registry) -> None:
    async with session_with(client, registry) as session:
        assert as_json(await session.prompts())["prompts"] == []


async def test_concurrent_calls_get_their_own_answers(client: str, registry: Registry, name: str) -> None:
    answers: dict[int, Any] = {}

    async with session_with(client, registry) as session:

        async def create(number: int) -> None:
            answers[number] = await session.call("create_role", role_name=f"{name}-{number}")

        async with anyio.create_task_group() as calls:
            for number in range(AT_ONCE):
                calls.start_soon(create, number)
        roles = [role["name"] for role in (await session.call("list_roles")).value]
    assert {number: answer.texts for number, answer in answers.items()} == {
        number: [f"Role with name='{name}-{number}' created"] for number in range(AT_ONCE)
    }
    assert {f"{name}-{number}" for number in range(AT_ONCE)} <= set(roles)


def flattened(error: BaseException) -> list[BaseException]:
    """An error, and all that it groups or was caused by."""
    parts = [*getattr(error, "exceptions", []), *([error.__cause__] if error.__cause__ else [])]
    return [error, *(inner for part in parts for inner in flattened(part))]


@pytest.mark.parametrize("token", [None, "wrong", "wrong-" + "x" * 4096], ids=["none", "wrong", "long"])
async def test_a_caller_without_the_token_is_told_at_once(client: str, guarded: Registry, token: str | None) -> None:
    with anyio.move_on_after(REFUSAL_SECONDS) as scope, pytest.raises(BaseException) as caught:
        async with connect(client, guarded.mcp_url, token) as session:
            await session.tools()
    assert not scope.cancel_called, f"hung for {REFUSAL_SECONDS} s"
    said = [f"{type(error).__name__}: {error}" for error in flattened(caught.value)]
    assert any(refusal in text for text in said for refusal in REFUSALS), said
    assert guarded.admin_token not in "".join(said)
    assert guarded.http("GET", "/health").status == 200


async def test_a_client_of_http_sse_is_told_at_once_that_there_is_none(registry: Registry) -> None:
    with anyio.move_on_after(REFUSAL_SECONDS) as scope, pytest.raises(BaseException) as caught:
        async with sse_client(registry.mcp_url, headers=registry.authorization()):
            pass
    assert not scope.cancel_called, f"hung for {REFUSAL_SECONDS} s"
    assert any("405" in str(error) for error in flattened(caught.value)), flattened(caught.value)
