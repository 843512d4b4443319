"""A registry is pointed at hostile services: each attempt ends in time, with a reason, and without a trace."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext
from typing import Any

import pytest

from answers import CANARY, service
from arena import (
    DISCOVERY_SECONDS,
    MEMORY_MEBIBYTES,
    SLACK_SECONDS,
    Figures,
    Stored,
    Watch,
    attempt,
    certificate,
    reason,
    running,
    watched,
)
from cases import SLOW as DEADLINE
from cases import Case
from message_cases import MESSAGE_CASES
from registry import BINARY, Registry, environment
from servers import HostileServer, Request
from transport_cases import DRIPPING_GOODBYE, FLOODS, TRANSPORT_CASES

CASES = [*TRANSPORT_CASES, *MESSAGE_CASES]
SLOW = [case for case in CASES if case.slow]
FAST = [case for case in CASES if not case.slow]
TURNED = [
    "HTML with 200", "silence to tools/list", "endless blanks as JSON", "a gzip bomb of JSON", "1001 tools",
    "a cursor loop of one", "invalid UTF-8", "307 to another port", "an early close", "status 500", "status 404",
    "401 to everything", "a session that is lost for ever", "pings in a flood", "an endpoint at another port",
]  # fmt: skip
COMMANDED = ["HTML with 200", "silence after accept", "a gzip bomb of JSON", "1001 tools", "307 to another port"]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> SSLContext:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def figures(request: pytest.FixtureRequest) -> Figures:
    figures = Figures()
    request.config.pluginmanager.register(figures)
    return figures


SETTINGS = {"DISCOVERY_TIMEOUT": str(DISCOVERY_SECONDS), "LOG_LEVEL": "debug"}
HASTY = SETTINGS | {"DISCOVERY_TIMEOUT": "2"}
# As many as the registry reads at once: any more would wait for their turn until their deadline.
AT_ONCE = 8
"""So many slow services are registered at the same time: fewer than the registry reads at once."""


def serve(case: Case, tls: SSLContext) -> HostileServer:
    return HostileServer(case.behaviour, tls if case.tls else None)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """What all fast cases share, one after the other."""
    with running(tmp_path_factory.mktemp("fast"), "--dev", **SETTINGS) as registry:
        yield registry


@dataclass
class Waited:
    """The slow cases, on a registry of their own."""

    answers: dict[str, tuple[dict[str, Any], float]]
    servers: dict[str, HostileServer]
    watch: Watch
    before: Stored
    after: Stored


@pytest.fixture(scope="module", autouse=True)
def waiting(tmp_path_factory: pytest.TempPathFactory, tls: SSLContext) -> Iterator[Future[Waited]]:
    """Lets the slow cases run while the others do."""
    servers = {case.id: serve(case, tls) for case in SLOW}

    def timed(registry: Registry, case: Case) -> tuple[dict[str, Any], float]:
        began = time.monotonic()
        result = attempt(registry, servers[case.id].url(case.scheme, case.path), case.id)
        return result, time.monotonic() - began

    def run(registry: Registry) -> Waited:
        before = Stored.of(registry)
        with watched(registry) as watch, ThreadPoolExecutor(AT_ONCE) as pool:
            answers = {case.id: pool.submit(timed, registry, case) for case in SLOW}
        results = {name: answer.result() for name, answer in answers.items()}
        return Waited(results, servers, watch, before, Stored.of(registry))

    with running(tmp_path_factory.mktemp("slow"), "--dev", **SETTINGS) as registry, ThreadPoolExecutor(1) as runner:
        yield runner.submit(run, registry)
    for server in servers.values():
        server.stop()


@pytest.mark.parametrize("case", FAST, ids=lambda case: case.id)
def test_a_hostile_service_leaves_nothing_behind(
    case: Case, registry: Registry, tls: SSLContext, figures: Figures, record_property: Callable[[str, object], None]
) -> None:
    server, name = serve(case, tls), case.id
    endpoint = server.url(case.scheme, case.path)
    before = Stored.of(registry)
    try:
        with watched(registry) as watch:
            result = attempt(registry, endpoint, name)
    finally:
        server.stop()
    after, services = Stored.of(registry), registry.done("list_services")
    names = tuple(tool["name"] for tool in registry.done("get_tools", service_name=name))
    registry.call("remove_service", service_name=name)
    figures.note(case.id, watch, len(server.methods), record_property)
    assert watch.seconds < DISCOVERY_SECONDS + SLACK_SECONDS
    assert server.accepted > 0, "the service was never asked"
    assert server.trap.accepted == 0, "another port was contacted"
    if case.reason:
        check(reason(result, endpoint), case)
        assert services == []
        assert after == before
    else:
        assert not result.get("isError"), result
        assert names == case.kept
    watch.check()


def check(words: str, case: Case) -> None:
    assert re.search(case.reason, words), f"{words!r} does not say {case.reason!r}"


@dataclass
class Turncoat:
    """A good service until it is turned."""

    behaviour: Any
    turned: bool = False

    def __call__(self, request: Request) -> Any:
        return (self.behaviour if self.turned else service())(request)


def named(names: list[str]) -> list[Case]:
    found = {case.id: case for case in CASES}
    return [found[name] for name in names]


@pytest.fixture(scope="module")
def other_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """For services that were good once."""
    with running(tmp_path_factory.mktemp("turned"), "--dev", **HASTY) as registry:
        yield registry


@pytest.mark.parametrize("case", named(TURNED), ids=lambda case: case.id)
def test_a_good_service_that_turns_hostile_keeps_its_last_good_tools(case: Case, other_registry: Registry) -> None:
    registry = other_registry
    turncoat = Turncoat(case.behaviour)
    server = HostileServer(turncoat)
    try:
        assert not attempt(registry, server.url(), case.id).get("isError")
        registry.call("create_role", role_name=case.id, default_system_prompt="")
        (tool,) = registry.done("get_tools", service_name=case.id)
        registry.done("attach_role_to_tool", tool_id=tool["id"], role_name=case.id)
        stored = registry.done("get_tools", service_name=case.id), Stored.of(registry)
        turncoat.turned = True
        with watched(registry) as watch:
            result = registry.call("refresh_service", service_name=case.id)
    finally:
        server.stop()
    watch.check()
    words = reason(result, server.url(), "refresh_service")
    if case.reason:
        check(words, case)
    else:
        assert "authorization (Bearer)" in words
    assert server.trap.accepted == 0
    assert registry.done("get_tools", service_name=case.id) == stored[0], "the last good tools stay, with their roles"
    assert Stored.of(registry).tools == stored[1].tools


@pytest.mark.parametrize("case", named(COMMANDED), ids=lambda case: case.id)
def test_the_command_discover_survives_too(case: Case, tmp_path: Path) -> None:
    server = HostileServer(case.behaviour)
    try:
        ended = subprocess.run(
            [BINARY, "discover", server.url()],
            cwd=tmp_path,
            env=environment(DISCOVERY_ALLOW_PRIVATE="true", DISCOVERY_ALLOW_HTTP="true", **HASTY),
            capture_output=True,
            text=True,
            timeout=DISCOVERY_SECONDS + SLACK_SECONDS,
        )
    finally:
        server.stop()
    assert ended.returncode > 0
    check(ended.stderr, case)
    assert CANARY not in ended.stdout + ended.stderr
    assert server.trap.accepted == 0


@pytest.mark.parametrize("case", SLOW, ids=lambda case: case.id)
def test_a_slow_service_ends_by_the_deadline(case: Case, waiting: Future[Waited]) -> None:
    waited = waiting.result()
    result, seconds = waited.answers[case.id]
    server = waited.servers[case.id]
    assert server.accepted > 0, "the service was never asked"
    assert server.trap.accepted == 0, "another port was contacted"
    if case.kept:
        assert not result.get("isError"), result
    else:
        # With so many at once a small machine may take any of them to the deadline.
        words = reason(result, server.url(case.scheme, case.path))
        assert re.search(rf"{case.reason}|{DEADLINE}", words), f"{words!r} does not say {case.reason!r}"
    assert seconds < DISCOVERY_SECONDS + SLACK_SECONDS


def test_slow_services_together_cost_little(
    waiting: Future[Waited], figures: Figures, record_property: Callable[[str, object], None]
) -> None:
    waited = waiting.result()
    taken = [case.id for case in SLOW if case.kept]
    requests = sum(len(server.methods) for server in waited.servers.values())
    figures.note(f"{len(SLOW)} slow services, {AT_ONCE} at once", waited.watch, requests, record_property)
    assert waited.before.services == []
    assert len(waited.after.services) == len(taken)
    assert waited.after.audit - waited.before.audit == len(taken), "what was refused is no change"
    waited.watch.check(memory=2 * MEMORY_MEBIBYTES)


def test_floods_at_once_leave_the_registry_alive(
    tmp_path: Path,
    waiting: Future[Waited],
    figures: Figures,
    record_property: Callable[[str, object], None],
) -> None:
    waiting.result()
    servers = [HostileServer(case.behaviour) for case in FLOODS]

    def flood(registry: Registry, server: HostileServer) -> tuple[dict[str, Any], float]:
        began = time.monotonic()
        return attempt(registry, server.url()), time.monotonic() - began

    with running(tmp_path, "--dev", **SETTINGS) as registry:
        before = Stored.of(registry)
        with watched(registry) as watch, ThreadPoolExecutor(len(servers)) as pool:
            ended = list(pool.map(lambda server: flood(registry, server), servers))
        after = Stored.of(registry)
    for server in servers:
        server.stop()
    requests = sum(len(server.methods) for server in servers)
    figures.note(f"{len(servers)} floods at once", watch, requests, record_property)
    for case, server, (result, _) in zip(FLOODS, servers, ended, strict=True):
        check(reason(result, server.url()), case)
    assert after == before
    assert max(seconds for _, seconds in ended) < DISCOVERY_SECONDS + SLACK_SECONDS
    watch.check(memory=2 * MEMORY_MEBIBYTES)


def test_services_that_never_end_their_goodbyes_keep_no_other_waiting(tmp_path: Path, waiting: Future[Waited]) -> None:
    waiting.result()
    bad, good = [HostileServer(DRIPPING_GOODBYE) for _ in range(AT_ONCE)], HostileServer(service())
    with running(tmp_path, "--dev", **SETTINGS) as registry, ThreadPoolExecutor(AT_ONCE) as pool:
        attempts = [pool.submit(attempt, registry, server.url()) for server in bad]
        while not all("DELETE" in server.methods for server in bad):
            time.sleep(0.01)
        began = time.monotonic()
        result = attempt(registry, good.url())
        seconds = time.monotonic() - began
        results = [result, *[ended.result() for ended in attempts]]
    for server in [*bad, good]:
        server.stop()
    assert not any(result.get("isError") for result in results), results
    assert seconds < SLACK_SECONDS
