"""A short run of the fuzzer, every day; `make fuzz` is the long one. And proof that it notices what it looks for."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import connection
import fuzz
from connection import Answer, Finding
from fuzz import Outcome, Tally, Worker
from mutations import Fuzzed, Generator

REQUESTS = 20_000
SECONDS = 90
TOOLS = [{"name": "list_users", "inputSchema": {}}]


@pytest.mark.parametrize("engine", ["SQLite"])
def test_mutated_requests_do_no_harm(engine: str, tmp_path: Path) -> None:
    outcome = fuzz.fuzz(tmp_path, requests=REQUESTS, seconds=SECONDS, seed=20_260_728)
    print(outcome)
    assert not outcome.findings, outcome
    assert outcome.requests == REQUESTS, outcome
    assert outcome.statuses["200"] > REQUESTS / 10, "many requests are still understood"
    assert all(outcome.statuses[status] for status in ["202", "400", "403", "404", "405", "406", "415"]), outcome


def test_a_number_always_makes_the_same_request() -> None:
    first, second = (Generator(7, "127.0.0.1:1", TOOLS, "http://127.0.0.1:2/mcp") for _ in range(2))
    requests = [first.request(number) for number in range(500)]
    assert requests == [second.request(number) for number in range(500)]
    assert len({request.data for request in requests}) > 480


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, "application/json", b"{}", False),
        Answer(503, "application/problem+json", b"{}", False),
        Answer(200, "application/json", b'{"jsonrpc":"2.0"', False),
        Answer(200, "application/json", b'{"a":NaN}', False),
        Answer(200, "application/json", b'"\xff"', False),
        Answer(200, "application/json", b'{"error":{"code":-32603}}', False),
        Answer(200, "application/json", b'[{"id":1},{"error":{"code":-32603}}]', False),
        Answer(200, "text/event-stream", b"event: message\r\ndata: {\r\n\r\n", False),
        Answer(400, "text/html", b"<html>", False),
    ],
)
def test_a_bad_answer_is_a_finding(answer: Answer) -> None:
    with pytest.raises(Finding):
        connection.judge(answer)


@contextmanager
def server(answer: bytes | None) -> Iterator[tuple[str, int]]:
    """Says the same to everybody and closes; or nothing, for as long as it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                kept.append(connection)
                if answer is not None:
                    connection.recv(1 << 16)
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()
        for connection in kept:
            connection.close()
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("is_alone", [True, False], ids=["alone", "in a burst"])
@pytest.mark.parametrize(
    "answer, reason",
    [
        (None, "neither answered nor closed"),
        (b"hello\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "status 500"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{", "bad JSON"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "in chunks"),
    ],
    ids=["silence", "no HTTP", "500", "bad JSON", "chunks"],
)
def test_what_a_bad_server_says_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, answer: bytes | None, reason: str, is_alone: bool
) -> None:
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.3)
    with server(answer) as address:
        worker = Worker(address, Generator(1, "127.0.0.1:1", TOOLS, ""))
        request = Fuzzed(b"POST /mcp HTTP/1.1\r\nContent-Length: 0\r\n\r\n", is_alone)
        if is_alone:
            worker._alone(7, request)
        else:
            worker._burst([(7, request)])
    [(text, number, data)] = worker.tally.findings
    assert reason in text and (number, data) == (7, request.data)


def test_a_connection_that_is_closed_is_counted_and_the_rest_sent_again() -> None:
    with server(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n") as address:
        worker = Worker(address, Generator(1, "127.0.0.1:1", TOOLS, ""))
        request = Fuzzed(b"POST /mcp HTTP/1.1\r\nContent-Length: 0\r\n\r\n", False)
        worker._burst([(number, request) for number in range(5)])
    assert worker.tally.findings == []
    assert worker.tally.statuses["202"] + worker.tally.statuses["closed without an answer"] == 5


def test_an_ended_process_growing_memory_and_a_kept_request_are_told(tmp_path: Path) -> None:
    outcome = Outcome(seed=3, requests=100, memory=[(0, 10.0), (10, 50.0), (100, 50.0 + fuzz.GROWTH_MEBIBYTES + 1)])
    with fuzz.victim(tmp_path) as (registry, _):
        registry.process.kill()
        registry.process.wait()
        with registry.log.open("a") as log:
            log.write("Server/File.swift:1: Fatal error: x\n")
        fuzz.conclude(outcome, [Tally(findings=[("why", 9, b"what")])], registry, tmp_path)
    text = "\n".join(outcome.findings)
    for part in ["the process ended with -9", "memory grew by", "Fatal error", "request 9: why"]:
        assert part in text
    assert (tmp_path / "request-3-9").read_bytes() == b"what"
