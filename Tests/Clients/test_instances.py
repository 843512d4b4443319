"""The life of instances: how they drain, log, count and trace, and what several of them do together."""

import http.server
import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry import Registry, command, free_port
from server_database import ServerDatabase

LEASE_SECONDS = 30
SPANS = {"POST /mcp", "GET /list_services", "database read", "database write", "database snapshot"}


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """All that several servers on one migrated MariaDB need."""
    database = ServerDatabase(tmp_path, os.environ["TEST_MARIADB_URL"])
    migrated = command(tmp_path, "migrate", "up", DATABASE_URL=database.url())
    assert migrated.returncode == 0, migrated
    return {
        "DATABASE_URL": database.url(),
        "REGISTRY_KEY": command(tmp_path, "keys", "generate").stdout.strip(),
        "REGISTRY_ADMIN_TOKEN": "t" * 40,
        "MCP_HOST": "127.0.0.1",
        "LOG_FORMAT": "json",
    }


def log_lines(server: Registry) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.output().splitlines() if line.startswith("{")]


def until(condition: Callable[[], bool], seconds: float = 30) -> float:
    """Waits for a condition; how long that took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "it never came true"
        time.sleep(0.05)
    return time.monotonic() - start


def metric(server: Registry, name: str, /, **labels: str) -> float | None:
    """A number of `GET /metrics`."""
    answer = server.http("GET", "/metrics")
    assert answer.status == 200, answer
    wanted = ",".join(f'{label}="{value}"' for label, value in labels.items())
    line = f"mcp_registry_{name}{{{wanted}}}" if wanted else f"mcp_registry_{name}"
    found = [text.rpartition(" ")[2] for text in answer.text.splitlines() if text.startswith(line + " ")]
    return float(found[0]) if found else None


def test_a_leaving_server_says_so_at_once_and_answers_until_the_end(tmp_path: Path, settings: dict[str, str]) -> None:
    server = Registry(tmp_path, settings=settings | {"DRAIN_SECONDS": "2"})
    assert server.http("GET", "/ready").status == 200
    server.process.send_signal(signal.SIGTERM)
    until(lambda: server.http("GET", "/ready").status == 503)
    answer = server.http("GET", "/list_services")
    assert answer.status == 200
    assert answer.headers["Connection"] == "close"
    assert server.http("GET", "/health").status == 200
    start = time.monotonic()
    assert server.process.wait(15) == 0
    assert time.monotonic() - start > 1
    server.stop()


def test_a_request_in_progress_ends_after_sigterm(tmp_path: Path, settings: dict[str, str]) -> None:
    """A service that takes its time is being registered while its registry is told to end."""
    began = threading.Event()

    class Slow(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            began.set()
            time.sleep(2)
            self.send_error(404)

        do_GET = do_DELETE = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as slow:
        threading.Thread(target=slow.serve_forever, daemon=True).start()
        server = Registry(tmp_path, settings=settings | {"DISCOVERY_ALLOW_PRIVATE": "true"})
        results: list[dict[str, Any]] = []
        arguments = {
            "service_name": "slow",
            "endpoint": f"http://127.0.0.1:{slow.server_port}/mcp",
            "description": "d",
            "requires_authorization": False,
            "method_authorization": "",
        }
        asking = threading.Thread(target=lambda: results.append(server.call("add_service", **arguments)))
        asking.start()
        assert began.wait(10)
        server.stop()
        asking.join(10)
        assert len(results) == 1 and results[0]["isError"], "the request was answered"
        slow.shutdown()


def test_each_request_is_one_line_of_json(tmp_path: Path, settings: dict[str, str]) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    server = Registry(tmp_path, settings=settings)
    answer = server.http("GET", "/list_services", traceparent=f"00-{trace}-00f067aa0ba902b7-01", **{"X-Request-Id": "r-1"})
    assert answer.headers["X-Request-Id"] == "r-1"
    server.http("GET", "/token?service_name=s&user_id=somebody")
    server.http("GET", "/made/up/path")
    server.done("create_role", role_name="r")
    server.stop()
    lines = [line for line in log_lines(server) if line["message"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("GET", "/list_services", 200),
        ("GET", "/token", 404),
        ("GET", "none", 404),
        ("POST", "/mcp", 200),
    ]
    assert lines[0]["request_id"] == "r-1"
    assert lines[0]["trace_id"] == trace
    assert all(float(line["ms"]) >= 0 and line["level"] == "info" for line in lines)
    assert lines[0]["principal"] and "principal" not in lines[2]
    assert "somebody" not in server.output() and "made/up" not in server.output()


def test_metrics_tell_of_requests_pool_and_process(tmp_path: Path, settings: dict[str, str]) -> None:
    server = Registry(tmp_path, settings=settings)
    for _ in range(3):
        server.http("GET", "/list_services")
    server.http("GET", "/made/up/path")
    assert metric(server, "http_requests_total", route="/list_services", method="GET", status="200") == 3
    assert metric(server, "http_requests_total", route="none", method="GET", status="404") == 1
    assert metric(server, "http_request_duration_seconds_count", route="/list_services", method="GET") == 3
    open_connections = [metric(server, "database_pool_connections", pool="mysql", state=state) for state in ["used", "idle"]]
    assert sum(number or 0 for number in open_connections) >= 1
    host = re.search(r"@([^/]+)/", settings["DATABASE_URL"])
    assert host and metric(server, "database_server_state", server=host[1], state="connected") == 1
    assert (metric(server, "process_threads") or 0) > 1
    assert (metric(server, "process_resident_memory_bytes") or 0) > 1e6
    assert server.http("GET", "/metrics", Authorization="").status == 401
    server.stop()


def test_metrics_can_have_a_port_of_their_own(tmp_path: Path, settings: dict[str, str]) -> None:
    server = Registry(tmp_path, settings=settings | {"METRICS_PORT": "0"})
    until(lambda: "metrics at http://" in server.output())
    address = re.search(r"metrics at (http://[0-9.:]+)/metrics", server.output())
    assert address
    assert server.http("GET", "/metrics").status == 404
    main, server.url = server.url, address[1]
    assert "mcp_registry_process_threads" in server.http("GET", "/metrics", Authorization="").text
    assert server.http("GET", "/list_services").status == 404
    server.url = main
    server.stop()


def test_spans_are_sent_to_a_collector(tmp_path: Path, settings: dict[str, str]) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    received: list[dict[str, Any]] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == "/v1/traces"
            for resource in body["resourceSpans"]:
                received.extend(span for scope in resource["scopeSpans"] for span in scope["spans"])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{collector.server_port}"
        hook = {"AGENT_REREAD_HOOK": f"http://127.0.0.1:{free_port()}/hook?secret=in-the-hook"}
        server = Registry(tmp_path, settings=settings | hook | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
        server.done("create_role", role_name="r")
        server.http("GET", "/list_services", traceparent=f"00-{trace}-00f067aa0ba902b7-01")
        until(lambda: any(span["traceId"] == trace and span["kind"] == 2 for span in received))
        # What is sent to the collector and to the hook is no span itself, or it would go on for ever and tell their URLs.
        assert {span["name"] for span in received} <= SPANS, received
        server.stop()
        collector.shutdown()
    assert "in-the-hook" not in json.dumps(received)
    spans = {span["name"]: span for span in received if span["traceId"] == trace}
    assert spans["GET /list_services"]["parentSpanId"] == "00f067aa0ba902b7"
    assert spans["database read"]["parentSpanId"]


def test_a_request_repeated_at_another_instance_is_done_once(tmp_path: Path, settings: dict[str, str]) -> None:
    servers = [Registry(tmp_path, settings=settings) for _ in range(3)]
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "create_role", "arguments": {"role_name": "r"}},
    }
    answers = [server.http("POST", "/mcp", message, **{"Idempotency-Key": "k"}) for server in servers]
    assert len({answer.text for answer in answers}) == 1
    assert [answer.headers["Idempotency-Replayed"] for answer in answers] == [None, "true", "true"]
    message["params"]["arguments"]["role_name"] = "s"
    for server in servers:
        assert server.http("POST", "/mcp", message, **{"Idempotency-Key": "k"}).status == 409
    assert [role["name"] for role in servers[0].done("list_roles")] == ["r"]
    for server in servers:
        server.stop()


def test_one_of_all_instances_cleans_and_another_takes_over_when_it_is_killed(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    servers = [Registry(tmp_path, settings=settings) for _ in range(3)]

    def holders(of: list[Registry]) -> list[Registry]:
        return [server for server in of if metric(server, "job_lease_held", job="cleaning") == 1]

    until(lambda: len(holders(servers)) == 1)
    killed = holders(servers)[0]
    killed.process.kill()
    killed.process.wait()
    left = [server for server in servers if server is not killed]
    took = until(lambda: len(holders(left)) == 1, seconds=LEASE_SECONDS + 20)
    # Each tries every 10 s.
    assert took <= LEASE_SECONDS + 12
    # One that ends in good order leaves the lease to the next at once.
    holder = holders(left)[0]
    holder.stop()
    last = next(server for server in left if server is not holder)
    assert until(lambda: len(holders([last])) == 1) <= 12
    last.stop()


def test_a_full_pool_is_503_with_retry_after(tmp_path: Path, settings: dict[str, str]) -> None:
    url = settings["DATABASE_URL"] + "?pool_size=1&pool_timeout=1"
    server = Registry(tmp_path, settings=settings | {"DATABASE_URL": url})
    server.done("create_role", role_name="r")
    database = ServerDatabase(tmp_path, os.environ["TEST_MARIADB_URL"])
    name = settings["DATABASE_URL"].rpartition("/")[2]
    # Somebody else holds the table for 4 s; the only connection waits for it.
    locking = threading.Thread(
        target=lambda: database.sql(f"USE {name}; LOCK TABLES roles WRITE; SELECT SLEEP(4); UNLOCK TABLES")
    )
    locking.start()
    until(lambda: database.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(4)%'") > [["1"]])
    waiting = threading.Thread(target=lambda: server.http("POST", "/system_prompt_for_role", {"role": "r"}))
    waiting.start()
    until(lambda: metric_without_database(server) >= 1)
    start = time.monotonic()
    answer = server.http("GET", "/list_services")
    assert answer.status == 503 and answer.headers["Retry-After"]
    assert time.monotonic() - start < 3
    locking.join()
    waiting.join()
    assert server.http("GET", "/list_services").status == 200
    server.stop()


def metric_without_database(server: Registry) -> float:
    return metric(server, "database_pool_connections", pool="mysql", state="used") or 0
