"""Sections 6 and 7: resources, prompts, caching hints, and what is not offered."""

import base64
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from endpoint import Endpoint, Reply
from plain_service import plain_service
from registry import Registry
from specification import LEGACY, MODERN, parse

pytest_plugins = ["deployments"]

VERSIONS = [None, *LEGACY, MODERN]
DESCRIPTION = "resource://service_description"
NAMES = ["pizza", "Pizza Ünïcode 🍕", "a/b?c#d%e", "50% off", "..", "a b"]


def ask(mcp: Endpoint, version: str | None, method: str, params: dict[str, Any] | None = None) -> Reply:
    """The same request in any version."""
    return mcp.modern(method, params) if version == MODERN else mcp.legacy(method, params or {}, version=version)


@pytest.fixture(scope="module")
def catalogue(mcp: Endpoint) -> Iterator[dict[str, str]]:
    """Services with names that need care, by the URI of each."""
    prefix = uuid.uuid4().hex[:8]
    uris = {}
    with plain_service() as url:
        for number, name in enumerate(NAMES):
            name = f"{prefix} {name}"
            mcp.done(
                "add_service",
                service_name=name,
                endpoint=f"{url}?n={prefix}{number}",
                description=f"Description of {name}",
                requires_authorization=number % 2 == 0,
                method_authorization="Basic" if number % 2 == 0 else "",
            )
            uris[name] = "registry://services/" + quote(name, safe="")
        yield uris


@pytest.mark.parametrize("version", VERSIONS)
def test_resources_list(mcp: Endpoint, version: str | None) -> None:
    result = ask(mcp, version, "resources/list").result
    assert "nextCursor" not in result
    by_name = {resource["name"]: resource for resource in result["resources"]}
    assert by_name["service_description"]["uri"] == DESCRIPTION
    services = next(entry for entry in result["resources"] if entry["uri"] == "registry://services")
    assert services["mimeType"] == "application/json"
    assert all(entry["title"] and entry["description"] for entry in result["resources"])


@pytest.mark.parametrize("version", VERSIONS)
def test_resources_templates_list(mcp: Endpoint, version: str | None) -> None:
    [template] = ask(mcp, version, "resources/templates/list").result["resourceTemplates"]
    assert template["uriTemplate"] == "registry://services/{name}"
    assert template["name"] and template["title"] and template["description"]
    assert template["mimeType"] == "application/json"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_listed_resource_can_be_read(mcp: Endpoint, version: str | None) -> None:
    for resource in ask(mcp, version, "resources/list").result["resources"]:
        [content] = ask(mcp, version, "resources/read", {"uri": resource["uri"]}).result["contents"]
        assert (content["uri"], content["mimeType"]) == (resource["uri"], resource["mimeType"])
        assert content["text"]


def test_the_description_is_that_of_the_service(mcp: Endpoint) -> None:
    [content] = mcp.modern("resources/read", {"uri": DESCRIPTION}).result["contents"]
    assert content["text"] == mcp.modern("server/discover").result["instructions"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_catalogue_lists_all_services(mcp: Endpoint, catalogue: dict[str, str], version: str | None) -> None:
    [content] = ask(mcp, version, "resources/read", {"uri": "registry://services"}).result["contents"]
    services = {service["name"]: service for service in parse(content["text"])["services"]}
    assert set(catalogue) <= set(services)
    for name in catalogue:
        assert services[name]["description"] == f"Description of {name}"
        assert services[name]["endpoint"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize("number", range(len(NAMES)), ids=[ascii(name) for name in NAMES])
@pytest.mark.parametrize("version", [None, MODERN])
def test_a_service_is_read_with_its_tools(
    mcp: Endpoint, catalogue: dict[str, str], version: str | None, number: int
) -> None:
    name, uri = list(catalogue.items())[number]
    [content] = ask(mcp, version, "resources/read", {"uri": uri}).result["contents"]
    assert (content["uri"], content["mimeType"]) == (uri, "application/json")
    service = parse(content["text"])
    assert service["name"] == name
    assert [tool["definition"]["name"] for tool in service["tools"]] == ["menu", "price", "order"]
    assert all(tool["definition"]["inputSchema"] == {"type": "object"} for tool in service["tools"])


def test_a_service_that_was_removed_is_unknown(mcp: Endpoint, name: str) -> None:
    with plain_service() as url:
        mcp.done("add_service", service_name=name, endpoint=url, description="x", requires_authorization=False)
        uri = f"registry://services/{name}"
        assert mcp.modern("resources/read", {"uri": uri}).status == 200
        mcp.done("remove_service", service_name=name)
    assert mcp.modern("resources/read", {"uri": uri}).outcome == (400, -32602)
    assert mcp.legacy("resources/read", {"uri": uri}).outcome == (200, -32002)


UNKNOWN = [
    "registry://services/nope",
    "registry://services/",
    "registry://services/%",
    "registry://services/%zz",
    "registry://services/%ff",
    "registry://services/%00",
    "registry://services//",
    "registry://services?x",
    "registry://services/../services",
    "registry://Services",
    "REGISTRY://services",
    "registry://",
    "resource://service_descriptio",
    "resource://service_description/",
    "file:///etc/passwd",
    "https://example.com/",
    "",
    " ",
    "🍕",
    "registry://services/" + "a" * 5000,
]


@pytest.mark.parametrize("uri", UNKNOWN, ids=lambda uri: ascii(uri)[:40])
@pytest.mark.parametrize("version", [None, "2025-11-25", MODERN])
def test_an_unknown_resource_is_an_error_that_names_it(mcp: Endpoint, version: str | None, uri: str) -> None:
    if version == MODERN:
        encoded = f"=?base64?{base64.b64encode(uri.encode()).decode()}?="
        reply = mcp.modern("resources/read", {"uri": uri}, **{"Mcp-Name": encoded})
    else:
        reply = mcp.legacy("resources/read", {"uri": uri}, version=version)
    assert reply.outcome == ((400, -32602) if version == MODERN else (200, -32002))
    assert reply.error["data"]["uri"] == uri


@pytest.mark.parametrize("uri", [None, 5, True, [], {}, ["registry://services"]], ids=repr)
@pytest.mark.parametrize("version", [None, MODERN])
def test_a_uri_that_is_no_text_is_malformed(mcp: Endpoint, version: str | None, uri: Any) -> None:
    reply = ask(mcp, version, "resources/read", {"uri": uri})
    assert reply.outcome == (400 if version == MODERN else 200, -32602)


@pytest.mark.parametrize("version", VERSIONS)
def test_prompts_are_declared_and_empty(mcp: Endpoint, version: str | None) -> None:
    assert ask(mcp, version, "prompts/list").result["prompts"] == []
    reply = ask(mcp, version, "prompts/get", {"name": "nope"})
    assert reply.outcome == (400 if version == MODERN else 200, -32602)


# --- caching hints; where they must not be is checked with every answer

HINTED = ["server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list"]


@pytest.mark.parametrize("method", HINTED)
def test_lists_may_be_kept_for_five_minutes(mcp: Endpoint, method: str) -> None:
    result = mcp.modern(method).result
    assert (result["ttlMs"], result["cacheScope"]) == (300_000, "private")


@pytest.mark.parametrize("uri", [DESCRIPTION, "registry://services"])
def test_what_resources_say_may_be_kept_for_a_minute_at_most(mcp: Endpoint, uri: str) -> None:
    result = mcp.modern("resources/read", {"uri": uri}).result
    assert type(result["ttlMs"]) is int and 0 <= result["ttlMs"] <= 60_000
    assert result["cacheScope"] == "private"


def test_results_of_tools_have_no_hints(mcp: Endpoint) -> None:
    assert not {"ttlMs", "cacheScope"} & set(mcp.modern("tools/call", {"name": "list_users"}).result)


def test_changes_of_lists_are_not_announced(mcp: Endpoint) -> None:
    capabilities = mcp.modern("server/discover").result["capabilities"]
    assert capabilities == {"tools": {}, "resources": {}, "prompts": {}}, "no listChanged, no subscribe"
    assert mcp.modern("subscriptions/listen", {"toolsListChanged": True}).outcome == (404, -32601)


# --- a fault of the server


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Endpoint]:
    """The endpoint of a registry that finds in its database what it never stored."""
    registry = Registry(tmp_path, "--dev")
    try:
        endpoint = Endpoint(registry)
        with plain_service() as url:
            endpoint.done("add_service", service_name="x", endpoint=url, description="x", requires_authorization=False)
        subprocess.run(["sqlite3", tmp_path / "dev.db", "UPDATE services SET status = 'no status'"], check=True)
        yield endpoint
    finally:
        registry.process.kill()
        registry.process.wait()


def test_a_fault_of_the_server_is_an_internal_error_on_200_without_details(broken: Endpoint) -> None:
    for reply in [
        broken.legacy("tools/call", {"name": "list_services"}),
        broken.modern("tools/call", {"name": "list_services"}),
        broken.legacy("resources/read", {"uri": "registry://services"}),
        broken.modern("resources/read", {"uri": "registry://services"}),
    ]:
        assert reply.outcome == (200, -32603)
        assert reply.error == {"code": -32603, "message": "Internal error"}
    assert broken.legacy("ping").result == {}
