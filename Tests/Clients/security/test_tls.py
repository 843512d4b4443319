"""TLS as the program itself speaks it."""

import http.client
import os
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from conftest import Start
from registry import Registry, command

RELOAD_SECONDS = 10


class Files:
    """A certificate and its key, as an operator's tools put them in place."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "tls.crt", folder / "tls.key"
        self.authority = trustme.CA()
        self.renew()

    def renew(self, authority: trustme.CA | None = None) -> None:
        self.authority = authority or self.authority
        issued = self.authority.issue_cert("127.0.0.1", "localhost")
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        for path, content in [(self.certificate, chain), (self.key, issued.private_key_pem.bytes())]:
            fresh = path.with_suffix(".new")
            fresh.write_bytes(content)
            os.replace(fresh, path)

    @property
    def settings(self) -> dict[str, str]:
        return {"TLS_CERT_FILE": str(self.certificate), "TLS_KEY_FILE": str(self.key)}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def port(server: Registry) -> int:
    number = urlsplit(server.url).port
    assert number
    return number


def ask(server: Registry, authority: trustme.CA, **options: ssl.TLSVersion) -> http.client.HTTPResponse:
    """Asks over TLS as a client that trusts this authority only."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    for name, value in options.items():
        setattr(context, name, value)
    connection = http.client.HTTPSConnection("127.0.0.1", port(server), timeout=10, context=context)
    connection.request("GET", "/list_services", headers={"Authorization": f"Bearer {server.admin_token}"})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_the_server_speaks_TLS_12_and_13_with_HSTS_SQLite(start: Start, files: Files) -> None:
    server = start(**files.settings)
    assert server.url.startswith("https://")
    for version in [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]:
        answer = ask(server, files.authority, minimum_version=version, maximum_version=version)
        assert answer.status == 200
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_older_TLS_and_plain_HTTP_get_no_answer_SQLite(start: Start, files: Files) -> None:
    server = start(**files.settings)
    with pytest.raises(OSError):
        ask(server, files.authority, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    with socket.create_connection(("127.0.0.1", port(server)), timeout=10) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            assert b"HTTP/" not in plain.recv(4096)
        except ConnectionResetError:
            pass
    assert ask(server, files.authority).status == 200


def test_a_renewed_certificate_is_taken_up_and_running_connections_go_on_SQLite(start: Start, files: Files) -> None:
    server = start(**files.settings)
    context = ssl.create_default_context()
    files.authority.configure_trust(context)
    old = http.client.HTTPSConnection("127.0.0.1", port(server), timeout=10, context=context)
    old.connect()
    other = trustme.CA()
    files.renew(other)
    deadline = time.monotonic() + RELOAD_SECONDS
    while True:
        try:
            assert ask(server, other).status == 200
            break
        except ssl.SSLError:
            assert time.monotonic() < deadline, server.output()
            time.sleep(0.1)
    old.request("GET", "/health")
    assert old.getresponse().status == 200
    assert "the TLS certificate was read again" in server.output()


def test_a_certificate_that_can_not_be_used_leaves_the_one_before_SQLite(start: Start, files: Files) -> None:
    server = start(**files.settings)
    files.key.write_text("no key")
    deadline = time.monotonic() + RELOAD_SECONDS
    while "the changed TLS certificate can't be used" not in server.output():
        assert ask(server, files.authority).status == 200
        assert time.monotonic() < deadline, server.output()
        time.sleep(0.1)
    files.renew()
    while "the TLS certificate was read again" not in server.output():
        assert ask(server, files.authority).status == 200
        assert time.monotonic() < deadline, server.output()
        time.sleep(0.1)


@pytest.mark.parametrize("wrong", ["missing", "mismatched", "half"])
def test_a_start_with_a_wrong_certificate_says_so_SQLite(tmp_path: Path, files: Files, wrong: str) -> None:
    settings = files.settings
    if wrong == "missing":
        files.key.unlink()
    elif wrong == "mismatched":
        files.key.write_bytes(trustme.CA().issue_cert("localhost").private_key_pem.bytes())
    else:
        del settings["TLS_KEY_FILE"]
    key = command(tmp_path, "keys", "generate").stdout.strip()
    settings |= {"REGISTRY_ADMIN_TOKEN": "correct-horse-battery-staple", "REGISTRY_KEY": key}
    ended = command(tmp_path, "serve", **settings)
    assert ended.returncode == 2, ended
    assert ended.stderr.startswith("mcp-registry: TLS_CERT_FILE "), ended
