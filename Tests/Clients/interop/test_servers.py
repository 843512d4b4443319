"""The registry discovers services made with this environment's SDKs, in every way that they can serve.

The servers record each exchange, so that what is asserted is what went over the wire.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fleet import Fleet, eventually, running_fleet
from matrix import Variant, installed, variants
from registry import Registry

MODERN = "2026-07-28"
NEWEST_LEGACY = {(1, 6): "2024-11-05", (1, 16): "2025-06-18", (1, 27): "2025-11-25", (2, 3): "2025-11-25"}
"""The newest revision with a handshake that each mcp knows, and the fastmcp upon it."""
NAMES = ["add", "greet", "search", "paint", "now", "undocumented", "long_winded"]
DESCRIPTION = "Adds, greets, searches and paints — for tests only: « é », 日本, 😀."
PAGES = 4
RESOURCE_PAGES = 2
ALL = [variant for variant in variants() if not variant.refusal]
UNREADABLE = [variant for variant in variants() if variant.refusal]


def each(condition: Callable[[Variant], Any] = lambda _: True, among: list[Variant] = ALL) -> Callable[[Any], Any]:
    """Runs a test with every server for which a condition holds. Where there is none, there is no test."""
    chosen = [variant for variant in among if condition(variant)]
    if not chosen:
        return lambda _: None
    return pytest.mark.parametrize("variant", chosen, ids=[variant.id for variant in chosen])


def is_session(variant: Variant) -> bool:
    """Whether there is a session to end."""
    return variant.transport == "http" and variant.stateful and not variant.is_modern


@dataclass
class Readings:
    """A registry, the servers, and what became of reading each server."""

    registry: Registry
    fleet: Fleet
    added: dict[str, list[dict[str, Any]]]

    def of(self, variant: Variant) -> list[dict[str, Any]]:
        """What the server was asked when it was registered, which happens when a test first wants it."""
        if variant.id not in self.added:
            result = self.add(variant)
            assert result["isError"] is False, result
            self.added[variant.id] = self.fleet.exchanges(variant)
        return self.added[variant.id]

    def add(self, variant: Variant) -> dict[str, Any]:
        return self.registry.call(
            "add_service",
            service_name=variant.id,
            endpoint=self.fleet.url(variant),
            description="",
            requires_authorization=False,
        )

    def stored(self, variant: Variant) -> dict[str, Any]:
        """All that the registry keeps about a service."""
        uri = f"registry://services/{quote(variant.id)}"
        message = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}}
        answer = self.registry.http("POST", "/mcp", message).json
        return json.loads(answer["result"]["contents"][0]["text"])


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Readings]:
    folder: Path = tmp_path_factory.mktemp("interop")
    with running_fleet(folder) as fleet:
        registry = Registry(folder, "--dev")
        try:
            yield Readings(registry, fleet, {})
            registry.stop()
        finally:
            registry.process.kill()
            registry.process.wait()


def asked(exchanges: list[dict[str, Any]], method: str) -> list[dict[str, Any]]:
    """The requests of one method that were let through."""
    return [entry for entry in exchanges if entry["rpc"] == method and entry["status"] in (200, 202)]


@each()
def test_every_tool_is_read_with_its_schemas(readings: Readings, variant: Variant) -> None:
    readings.of(variant)
    tools = readings.registry.done("get_tools", service_name=variant.id)
    offered = readings.fleet.tools(variant)
    assert [tool["name"] for tool in tools] == [tool["name"] for tool in offered] == NAMES
    assert [tool["description"] for tool in tools] == [tool.get("description", "") for tool in offered]
    assert "日本" in tools[1]["description"]

    definitions = [tool["definition"] for tool in readings.stored(variant)["tools"]]
    for definition, tool in zip(definitions, offered, strict=True):
        for field in ["name", "title", "inputSchema", "outputSchema", "annotations", "icons"]:
            assert definition.get(field) == tool.get(field), (tool["name"], field)
        assert definition.get("description", "") == tool.get("description", "")


@each()
def test_the_description_is_found_among_the_resources(readings: Readings, variant: Variant) -> None:
    exchanges = readings.of(variant)
    assert readings.stored(variant)["description"] == DESCRIPTION
    read = [entry["params"]["uri"] for entry in asked(exchanges, "resources/read")]
    assert read == ["resource://service_description"]


@each()
def test_the_newest_revision_that_both_know_is_spoken(readings: Readings, variant: Variant) -> None:
    exchanges = readings.of(variant)
    posts = [entry for entry in exchanges if entry["method"] == "POST" and entry["rpc"] and entry["status"] < 300]
    if variant.is_modern:
        assert posts[0]["rpc"] == "server/discover"
        assert {entry["version"] for entry in posts} == {MODERN}
        assert not [entry for entry in exchanges if entry["rpc"] == "initialize"]
        return
    assert [entry["rpc"] for entry in posts[:3]] == ["initialize", "notifications/initialized", "tools/list"]
    if variant.transport == "http":
        assert posts[0]["version"] is None, "the version is not agreed on yet"
        assert {entry["version"] for entry in posts[1:]} == {NEWEST_LEGACY[installed("mcp")]}


@each(lambda variant: variant.transport == "http" and not variant.is_modern)
def test_both_forms_of_answers_are_understood(readings: Readings, variant: Variant) -> None:
    listed = asked(readings.of(variant), "tools/list")
    assert {entry["type"] for entry in listed} == {"application/json" if variant.json else "text/event-stream"}


@each(lambda variant: variant.cursors)
def test_every_page_is_read_once(readings: Readings, variant: Variant) -> None:
    exchanges = readings.of(variant)
    for method, count in [("tools/list", PAGES), ("resources/list", RESOURCE_PAGES)]:
        cursors = [(entry["params"] or {}).get("cursor") for entry in asked(exchanges, method)]
        assert len(cursors) == len(set(cursors)) == count
        assert cursors[0] is None
        if variant.cursors == "empty":
            assert cursors[1] == ""


@each(lambda variant: variant.url_path and variant.transport == "http")
def test_a_redirect_on_the_same_server_is_followed(readings: Readings, variant: Variant) -> None:
    exchanges = [entry for entry in readings.of(variant) if entry["path"] == variant.url_path]
    assert 307 in {entry["status"] for entry in exchanges}


@each(is_session)
def test_each_reading_ends_its_session(readings: Readings, variant: Variant) -> None:
    readings.of(variant)
    readings.registry.done("refresh_service", service_name=variant.id)
    exchanges = readings.fleet.exchanges(variant)
    sessions = [entry["given"] for entry in asked(exchanges, "initialize")]
    assert len(set(sessions)) == len(sessions) >= 2
    ended = [entry for entry in exchanges if entry["method"] == "DELETE" and entry["status"] < 300]
    assert [entry["session"] for entry in ended] == sessions
    uses = [entry for entry in exchanges if entry["session"] and entry["status"] < 300]
    assert {entry["session"] for entry in uses} == set(sessions), "only ids that initialize gave are used"


@each(lambda variant: not is_session(variant))
def test_nothing_is_ended_where_there_is_no_session(readings: Readings, variant: Variant) -> None:
    readings.of(variant)
    exchanges = readings.fleet.exchanges(variant)
    assert not [entry for entry in exchanges if entry["method"] == "DELETE" or entry["session"]]


@each(lambda variant: variant.transport == "sse")
def test_the_stream_of_messages_is_closed(readings: Readings, variant: Variant) -> None:
    opened = [entry for entry in readings.of(variant) if entry["method"] == "GET" and entry["status"] == 200]
    assert [entry["type"] for entry in opened] == ["text/event-stream"]

    def is_closed() -> bool:
        return "GET" in [entry["method"] for entry in readings.fleet.exchanges(variant, "left")]

    assert eventually(is_closed)


@each()
def test_a_service_can_be_read_again(readings: Readings, variant: Variant) -> None:
    readings.of(variant)
    before = readings.stored(variant)
    exchanges = len(readings.fleet.exchanges(variant))
    refreshed = readings.registry.done("refresh_service", service_name=variant.id)
    assert refreshed == f"Service with name='{variant.id}' has {len(NAMES)} tools now"
    assert len(asked(readings.fleet.exchanges(variant)[exchanges:], "tools/list")) >= 1
    after = readings.stored(variant)
    assert after["tools"] == before["tools"], "the same tools, with the same ids and no change"
    assert (after["description"], after["status"]) == (DESCRIPTION, "active")
    assert readings.registry.done("list_tool_changes", service_name=variant.id) == []


@each(among=UNREADABLE)
def test_a_server_that_cannot_be_read_is_refused_with_the_reason(readings: Readings, variant: Variant) -> None:
    result = readings.add(variant)
    assert result["isError"] is True
    assert variant.refusal in result["content"][0]["text"]
    assert variant.id not in [item["service_name"] for item in readings.registry.done("list_services")]
