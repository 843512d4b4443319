"""Section 2: a client that goes. In 2026-07-28 that cancels its request, before it does not."""

import json
import socket
import struct
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from endpoint import Endpoint, call, modern_call, modern_fields, raw_exchange
from plain_service import Hold, plain_service

pytest_plugins = ["deployments"]

SECONDS = 10


def written(mcp: Endpoint, message: dict[str, Any]) -> bytes:
    """A whole request as bytes."""
    body = json.dumps(message).encode()
    fields = modern_fields(message) if "_meta" in message.get("params", {}) else {}
    head = {"Host": mcp.authority, "Content-Type": "application/json", "Content-Length": len(body)} | fields
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"POST /mcp HTTP/1.1\r\n{lines}\r\n".encode() + body


def close(connection: socket.socket) -> None:
    connection.close()


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def end_sending(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)


@pytest.fixture
def held() -> Iterator[tuple[str, Hold]]:
    """A service that lists its tools only when it may."""
    hold = Hold()
    with plain_service(hold) as url:
        yield url, hold
        hold.released.set()


def begin(mcp: Endpoint, name: str, url: str, era: str) -> socket.socket:
    """Asks for a service to be added; the connection, on which nothing has come back yet."""
    arguments = {"service_name": name, "endpoint": url, "description": "x", "requires_authorization": False}
    params = {"name": "add_service", "arguments": arguments}
    message = call("tools/call", params) if era == "legacy" else modern_call("tools/call", params)
    connection = socket.create_connection((mcp.host, mcp.port), timeout=SECONDS)
    connection.sendall(written(mcp, message))
    return connection


def names(mcp: Endpoint) -> list[str]:
    return [service["service_name"] for service in mcp.done("list_services")]


@pytest.mark.parametrize("leave", [close, reset, end_sending])
def test_a_modern_request_is_cancelled_when_its_client_goes(
    mcp: Endpoint, held: tuple[str, Hold], leave: Callable[[socket.socket], None]
) -> None:
    url, hold = held
    name = f"n{uuid.uuid4().hex[:12]}"
    connection = begin(mcp, name, f"{url}?hold={name}", "modern")
    assert hold.reached.wait(SECONDS)
    leave(connection)
    # One service of a host is read at a time: this one gets its turn because the other's is over.
    start = time.monotonic()
    other = f"{name}-other"
    mcp.done("add_service", service_name=other, endpoint=f"{url}?{other}", description="x", requires_authorization=False)
    assert time.monotonic() - start < SECONDS
    hold.released.set()
    assert name not in names(mcp)
    if leave is end_sending:
        assert connection.recv(1) == b"", "nothing is sent any more"
        connection.close()


@pytest.mark.parametrize("leave", [close, reset, end_sending])
def test_a_legacy_request_goes_on_when_its_client_goes(
    mcp: Endpoint, held: tuple[str, Hold], leave: Callable[[socket.socket], None]
) -> None:
    url, hold = held
    name = f"n{uuid.uuid4().hex[:12]}"
    connection = begin(mcp, name, f"{url}?hold={name}", "legacy")
    assert hold.reached.wait(SECONDS)
    leave(connection)
    mcp.done("whoami")
    hold.released.set()
    deadline = time.monotonic() + SECONDS
    while name not in names(mcp):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    if leave is end_sending:
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        connection.close()


def test_a_legacy_request_that_comes_with_the_end_of_sending_is_answered(mcp: Endpoint) -> None:
    assert raw_exchange(mcp, written(mcp, call("ping"))).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("eras", ["mmm", "lml", "mlm"])
def test_requests_of_one_connection_are_answered_in_turn(mcp: Endpoint, eras: str) -> None:
    messages = [
        (modern_call("tools/list", id=f"id-{number}") if era == "m" else call("tools/list", id=f"id-{number}"))
        for number, era in enumerate(eras)
    ]
    with socket.create_connection((mcp.host, mcp.port), timeout=SECONDS) as connection:
        for _ in range(2):
            connection.sendall(b"".join(written(mcp, message) for message in messages))
            received = b""
            while received.count(b"HTTP/1.1 200 OK") < len(messages) or not received.endswith(b"}}"):
                chunk = connection.recv(1 << 16)
                assert chunk, received
                received += chunk
            order = [received.index(f'"id":"id-{number}"'.encode()) for number in range(len(messages))]
            assert order == sorted(order)
