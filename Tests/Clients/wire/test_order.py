"""Section 2: the order of the checks, proved by requests that break two rules at once."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pytest

from endpoint import ABSENT, Endpoint, Fields, call
from specification import MODERN

pytest_plugins = ["deployments"]

MEBIBYTE = 1 << 20


@dataclass
class Draft:
    """A request that gets worse."""

    verb: str = "POST"
    fields: Fields = field(default_factory=dict)
    message: Any = field(default_factory=lambda: call("ping"))
    body: bytes | None = None
    size: int = 0

    @property
    def content(self) -> bytes:
        return (self.body if self.body is not None else json.dumps(self.message).encode()).ljust(self.size)


@dataclass(frozen=True)
class Fault:
    """One broken rule: how to break it, and the answer."""

    step: str
    spoil: Callable[[Draft], None]
    status: int
    code: int | None


def of_message(**members: Any) -> Callable[[Draft], None]:
    def spoil(draft: Draft) -> None:
        draft.message |= members

    return spoil


def of_fields(**fields: Any) -> Callable[[Draft], None]:
    def spoil(draft: Draft) -> None:
        draft.fields |= {name.replace("_", "-"): value for name, value in fields.items()}

    return spoil


def of_draft(**attributes: Any) -> Callable[[Draft], None]:
    def spoil(draft: Draft) -> None:
        draft.__dict__.update(attributes)

    return spoil


# In the order in which they must be noticed. Two of one step are told apart by nothing, so each step stands once.
FAULTS = [
    Fault("2 Host", of_fields(Host="evil.example.com"), 403, -32600),
    Fault("3 method", of_draft(verb="PUT"), 405, -32600),
    Fault("4 credentials", of_fields(Authorization="Bearer wrong"), 401, -32600),
    Fault("5 size", of_draft(size=MEBIBYTE + 1), 413, -32600),
    Fault("5 Content-Type", of_fields(Content_Type="text/plain"), 415, -32600),
    Fault("6 Accept", of_fields(Accept="text/html"), 406, -32600),
    Fault("7 JSON", of_draft(body=b'{"jsonrpc":"1.0","id":null,"params":[],"method":5'), 400, -32700),
    Fault("8 jsonrpc", of_message(jsonrpc="1.0"), 400, -32600),
    Fault("8 params", of_message(params=[]), 400, -32602),
    Fault("9 id", of_message(id=None), 400, -32600),
    Fault("11 era", of_fields(MCP_Protocol_Version=MODERN), 400, -32602),
    Fault("11 method", of_message(method="nope"), 200, -32601),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.step)
def test_each_fault_alone(guarded: Endpoint, fault: Fault) -> None:
    draft = Draft()
    fault.spoil(draft)
    assert guarded.send(draft.content, verb=draft.verb, **draft.fields).outcome == (fault.status, fault.code)


@pytest.mark.parametrize("first, second", combinations(FAULTS, 2), ids=lambda fault: fault.step)
def test_of_two_faults_the_earlier_is_reported(guarded: Endpoint, first: Fault, second: Fault) -> None:
    draft = Draft()
    second.spoil(draft)
    first.spoil(draft)
    assert guarded.send(draft.content, verb=draft.verb, **draft.fields).outcome == (first.status, first.code)


def test_an_evil_origin_comes_before_the_method_and_the_credentials(guarded: Endpoint) -> None:
    assert guarded.send(None, verb="GET", Origin="http://evil.example.com", Authorization=None).status == 403


def test_a_method_without_credentials_gets_405_and_not_401(guarded: Endpoint) -> None:
    for verb in ["GET", "DELETE"]:
        reply = guarded.send(None, verb=verb, Authorization=None)
        assert (reply.status, reply.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "spoil, status",
    [
        (of_fields(Content_Type="text/plain"), 415),
        (of_fields(Accept="text/html"), 406),
        (of_fields(MCP_Protocol_Version=MODERN, Mcp_Method="wrong"), 202),
    ],
    ids=["5 Content-Type", "6 Accept", "11 era"],
)
def test_a_notification_is_subject_to_what_comes_before_it_only(
    mcp: Endpoint, spoil: Callable[[Draft], None], status: int
) -> None:
    draft = Draft(message=call("notifications/initialized", id=ABSENT))
    spoil(draft)
    assert mcp.send(draft.message, **draft.fields).status == status
