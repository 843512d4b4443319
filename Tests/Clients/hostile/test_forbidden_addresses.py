"""A registry in production contacts no loopback, private or special address, however it is written."""

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from answers import redirect, service
from arena import Stored, attempt, discreet, reason, running
from registry import Registry, command
from servers import HostileServer, Listener, Request

REFUSAL_SECONDS = 2
"""A refusal needs no network."""

# What a reason must say, loosely.
NOT_CONTACTED = r"contacted only when|is never contacted"
NO_ADDRESS = r"host is a number|no plain host name|can't be read as a URL|contacted"
UNREACHED = r"^the service could not be reached$"
HTTPS = r"must begin with https://"

LOCAL = [
    "127.0.0.1", "127.0.0.2", "127.255.255.254",
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "100.127.255.254", "[::1]", "[0:0:0:0:0:0:0:1]", "[fc00::1]", "[fd00::2]", "[fd12:3456:789a::1]",
]  # fmt: skip
SPECIAL = [
    "169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "240.0.0.1", "[fe80::1]", "[febf::1]", "[fec0::1]", "[fd00:ec2::254]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::]",
    "[2001:0:7f00:1::]", "[2001:db8::1]", "[100::1]",
]  # fmt: skip
NO_MACHINE = ["0.0.0.0", "0.0.0.1", "255.255.255.255", "224.0.0.1", "239.255.255.255", "[::]", "[ff02::1]", "[ff05::2]"]
DISGUISED = [
    "2130706433", "0177.0.0.1", "0x7f.1", "0x7f000001", "0x7f.0.0.1", "017700000001", "127.1", "127.0.1", "127.0.0.1.",
    "127.00.00.01", "0", "00", "0x0", "127.0.0.257", "127.0.0.1.1", "4294967297", "256.1.1.1", "127.0x1", "[::1%25lo]",
    "[fe80::1%25eth0]", "[127.0.0.1]", "[::ffff:127.1]", "[::ffff:0x7f.1]", "[localhost]",
    "[pizza.invalid]", "[]", "[:::1]", "127%2e0%2e0%2e1",
    "%31%32%37.0.0.1", "localhost%00.pizza.example", "127.0.0.1%20", "127.0.0.1,pizza.example", "localhost;x", "a..b",
]  # fmt: skip
HOSTS = [line.split("#")[0].split() for line in Path("/etc/hosts").read_text().splitlines()]
"""The lines of the file: an address and its names. They resolve without asking anybody."""
NAMES = sorted(
    {"localhost", "LOCALHOST", "LocalHost", socket.gethostname(), socket.gethostname().upper()}
    | {name for address, *names in filter(None, HOSTS) if address.startswith(("127.", "::1")) for name in names}
    | {"metadata.google.internal", "METADATA.google.INTERNAL", "metadata.goog", "instance-data", "pizza.invalid"}
)
DOTTED = ["localhost.", "localhost..", "metadata.google.internal.", f"{socket.gethostname()}."]
WITH_USERS = ["u@", "u:p@", ":@", "@", "pizza.example@", "pizza.example:443@", "127.0.0.1:80@", "u%40pizza.example@"]


def sealed(folder: Path, **settings: str) -> dict[str, str]:
    """The settings of a registry in production, on a database of its own."""
    database = {"DATABASE_URL": "sqlite:///./dev.db"}
    migrated = command(folder, "migrate", "up", **database)
    assert migrated.returncode == 0, migrated
    key = command(folder, "keys", "generate").stdout.strip()
    token = "token-of-an-administrator"
    limits = {"DISCOVERY_RATE_LIMIT": "0", "FAILED_LOGIN_LIMIT": "0"}
    return database | {"REGISTRY_KEY": key, "REGISTRY_ADMIN_TOKEN": token, "MCP_HOST": "127.0.0.1"} | limits | settings


def guarded(folder: Path, bait: Listener, **settings: str) -> Iterator[Registry]:
    """A registry in production that has shown on this machine's own address that it refuses at all.

    Nothing else may be asked of one that does not: it would contact whoever is at the addresses below.
    """
    with running(folder, **sealed(folder, **settings)) as registry:
        for endpoint in [f"http://127.0.0.1:{bait.port}/", f"https://[::1]:{bait.port}/"]:
            attempt(registry, endpoint)
        assert bait.accepted == 0, "the registry contacts loopback addresses: no other address is tried"
        yield registry


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, bait: Listener) -> Iterator[Registry]:
    """Production without any setting for discovery."""
    yield from guarded(tmp_path_factory.mktemp("strict"), bait)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, bait: Listener) -> Iterator[Registry]:
    """Production where plain HTTP is allowed: then the address alone decides."""
    yield from guarded(tmp_path_factory.mktemp("plain"), bait, DISCOVERY_ALLOW_HTTP="true")


@pytest.fixture(scope="module")
def bait() -> Iterator[Listener]:
    """A port that is open on every address of this machine, and must never be contacted."""
    try:
        listener = Listener("::")
    except OSError:
        listener = Listener("0.0.0.0")
    yield listener
    listener.stop()


def refusal(registry: Registry, bait: Listener, endpoint: str) -> str:
    """Why the endpoint was refused: at once, with nobody contacted and nothing stored."""
    before, contacts = Stored.of(registry), bait.accepted
    began = time.monotonic()
    result = attempt(registry, endpoint)
    seconds = time.monotonic() - began
    words = reason(result, endpoint)
    assert bait.accepted == contacts, "the port was contacted"
    assert Stored.of(registry) == before
    assert registry.done("list_services") == []
    assert seconds < REFUSAL_SECONDS
    return words


def places(host: str, port: int) -> list[str]:
    return [f"http://{host}:{port}/mcp", f"https://{host}:{port}/mcp", f"HTTP://{host}:{port}/sse"]


@pytest.mark.parametrize("host", [*LOCAL, *SPECIAL, *NO_MACHINE])
def test_an_address_that_is_not_public_is_refused(
    host: str, plain: Registry, strict: Registry, bait: Listener
) -> None:
    words = {refusal(plain, bait, endpoint) for endpoint in places(host, bait.port)}
    words |= {refusal(strict, bait, endpoint) for endpoint in places(host, bait.port)}
    assert len(words) == 1, "the scheme and the port tell something"
    assert re.search(NOT_CONTACTED, words.pop())


@pytest.mark.parametrize("host", DISGUISED)
def test_a_disguised_address_is_refused(host: str, plain: Registry, bait: Listener) -> None:
    for endpoint in places(host, bait.port):
        before, contacts = Stored.of(plain), bait.accepted
        began = time.monotonic()
        result = attempt(plain, endpoint)
        assert time.monotonic() - began < REFUSAL_SECONDS
        assert result.get("isError") is True, result
        text = result["content"][0]["text"]
        read = f"Failed to fetch tools from {re.escape(endpoint)}"
        assert re.search(rf"add_service': (endpoint |{read}: .*({NO_ADDRESS}))", text)
        assert bait.accepted == contacts, "the port was contacted"
        assert Stored.of(plain) == before


@pytest.mark.parametrize("host", NAMES)
def test_a_name_that_leads_inside_looks_like_one_that_leads_nowhere(
    host: str, plain: Registry, bait: Listener
) -> None:
    for endpoint in places(host, bait.port):
        assert re.search(UNREACHED, refusal(plain, bait, endpoint))


@pytest.mark.parametrize("host", DOTTED)
def test_a_name_with_a_dot_at_its_end_is_refused(host: str, plain: Registry, bait: Listener) -> None:
    for endpoint in places(host, bait.port):
        assert re.search(rf"{UNREACHED}|no plain host name", refusal(plain, bait, endpoint))


@pytest.mark.parametrize("user", WITH_USERS)
def test_user_information_is_refused(user: str, plain: Registry, bait: Listener) -> None:
    contacts = bait.accepted
    for host in ["127.0.0.1", "localhost", "pizza.invalid"]:
        text = attempt(plain, f"http://{user}{host}:{bait.port}/mcp")["content"][0]["text"]
        assert text.startswith("Error calling tool 'add_service': endpoint must not hold a user name or password")
    assert bait.accepted == contacts


@pytest.mark.parametrize("endpoint", ["http://pizza.invalid/mcp", "http://pizza.localhost:8000/", "http://localhost/"])
def test_plain_http_is_refused_unless_it_is_allowed(endpoint: str, strict: Registry, bait: Listener) -> None:
    words = attempt(strict, endpoint)["content"][0]["text"].split(f"{endpoint}: ")[1]
    assert re.search(HTTPS, words)
    discreet(words.replace("https://", ""))


def test_an_open_and_a_closed_port_look_the_same(plain: Registry, bait: Listener) -> None:
    for host in ["127.0.0.1", "[::1]", "localhost", socket.gethostname()]:
        assert refusal(plain, bait, f"http://{host}:{bait.port}/mcp") == refusal(plain, bait, f"http://{host}:1/mcp")


@pytest.fixture(scope="module")
def allowed() -> Iterator[HostileServer]:
    """A service that the operator lists, and that turns to whatever its path says."""

    def answer(request: Request) -> Iterator[bytes | float]:
        if request.path == "/trap":
            return iter(redirect(f"http://127.0.0.1:{request.trap}/mcp")(request))
        if request.path == "/name":
            return iter(redirect(f"http://localhost:{request.port}/mcp")(request))
        if request.path == "/metadata":
            return iter(redirect("http://169.254.169.254/latest/meta-data/")(request))
        return iter(service()(request))

    server = HostileServer(answer)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def listing(
    tmp_path_factory: pytest.TempPathFactory, allowed: HostileServer, bait: Listener
) -> Iterator[Registry]:
    """Production whose operator lists one address with its port."""
    yield from guarded(tmp_path_factory.mktemp("listing"), bait, DISCOVERY_ALLOW=f"127.0.0.1:{allowed.port}")


def test_a_listed_address_is_contacted_at_its_port_alone(
    listing: Registry, allowed: HostileServer, bait: Listener
) -> None:
    result = attempt(listing, allowed.url(), "listed")
    assert not result.get("isError"), result
    assert [tool["name"] for tool in listing.done("get_tools", service_name="listed")] == ["good"]
    listing.done("remove_service", service_name="listed")
    for host in ["127.0.0.1", "127.0.0.2", "[::ffff:127.0.0.1]", "[::1]"]:
        assert re.search(NOT_CONTACTED, refusal(listing, bait, f"http://{host}:{bait.port}/mcp"))


@pytest.mark.parametrize("path", ["/trap", "/name", "/metadata"])
def test_a_listed_service_leads_nowhere_else(path: str, listing: Registry, allowed: HostileServer) -> None:
    asked = len(allowed.methods)
    endpoint = allowed.url(path=path)
    assert "redirect" in reason(attempt(listing, endpoint), endpoint)
    assert allowed.trap.accepted == 0
    assert len(allowed.methods) == asked + 1, "only the address that was registered is asked"
