"""Section 1: which of the two eras a request belongs to."""

import json
from typing import Any

import pytest

from endpoint import ABSENT, CAPABILITIES_KEY, VERSION_KEY, Endpoint, call, meta, modern_call, modern_fields
from specification import LEGACY, MODERN, NEWEST_LEGACY

pytest_plugins = ["deployments"]

UNKNOWN = ["1999-01-01", "v999.0.0", "2026-07-29", "2025-11-25x", "2026-7-28", "draft", ""]


def send(mcp: Endpoint, header: str | None, stated: Any, method: str = "tools/list") -> Any:
    """A request with a version in the header, in the body, in both or in neither; else it is a complete modern one."""
    own = meta(stated) if stated is not ABSENT else {CAPABILITIES_KEY: {}}
    return mcp.send(call(method, {"_meta": own}), **{"MCP-Protocol-Version": header, "Mcp-Method": method})


def serves_batches(mcp: Endpoint, header: str | None) -> bool:
    """What tells 2025-03-26 from the other legacy revisions."""
    return mcp.send([call("ping")], **{"MCP-Protocol-Version": header}).status == 200


def test_row_1_no_version_at_all_is_legacy_2025_03_26(mcp: Endpoint) -> None:
    assert "resultType" not in send(mcp, None, ABSENT).result
    assert mcp.legacy("tools/list").outcome == (200, None)
    assert serves_batches(mcp, None)


@pytest.mark.parametrize("version", LEGACY)
def test_row_2_a_legacy_header_alone_is_that_version(mcp: Endpoint, version: str) -> None:
    assert "resultType" not in send(mcp, version, ABSENT).result
    assert mcp.legacy("tools/list", version=version).outcome == (200, None)
    assert serves_batches(mcp, version) == (version == "2025-03-26")


@pytest.mark.parametrize("params", [ABSENT, {}, {"_meta": {}}, {"_meta": {CAPABILITIES_KEY: {}}}], ids=repr)
@pytest.mark.parametrize("header", [MODERN, *UNKNOWN])
def test_row_3_a_header_that_is_not_legacy_without_a_version_in_the_body_is_malformed(
    mcp: Endpoint, header: str, params: Any
) -> None:
    message = call("tools/list", params)
    reply = mcp.send(message, **{"MCP-Protocol-Version": header, "Mcp-Method": "tools/list"})
    assert reply.outcome == (400, -32602)


@pytest.mark.parametrize("stated", [MODERN, *UNKNOWN])
@pytest.mark.parametrize("header", [None, *LEGACY, MODERN, "v999.0.0"])
def test_row_4_a_version_in_the_body_that_is_not_legacy_is_modern(
    mcp: Endpoint, header: str | None, stated: str
) -> None:
    reply = send(mcp, header, stated)
    if header == stated == MODERN:
        assert reply.result["resultType"] == "complete"
    else:
        assert reply.outcome == (400, -32022 if header == stated else -32020)


@pytest.mark.parametrize("stated", [None, 5, 20260728, True, 1.5, [], [MODERN], {}, {"version": MODERN}], ids=repr)
@pytest.mark.parametrize("header", [None, MODERN])
def test_row_4_a_version_in_the_body_that_is_no_text_is_malformed(
    mcp: Endpoint, header: str | None, stated: Any
) -> None:
    assert send(mcp, header, stated).outcome == (400, -32602)


@pytest.mark.parametrize("stated", LEGACY)
@pytest.mark.parametrize("header", ["absent", "same"])
def test_row_5_a_legacy_version_in_the_body_is_legacy(mcp: Endpoint, header: str, stated: str) -> None:
    assert "resultType" not in send(mcp, stated if header == "same" else None, stated).result


@pytest.mark.parametrize("stated", LEGACY)
@pytest.mark.parametrize("header", [*LEGACY, MODERN, "v999.0.0"])
def test_row_6_another_version_in_the_header_than_a_legacy_one_in_the_body_is_a_mismatch(
    mcp: Endpoint, header: str, stated: str
) -> None:
    if header == stated:
        assert send(mcp, header, stated).status == 200
    else:
        assert send(mcp, header, stated).outcome == (400, -32020)


@pytest.mark.parametrize("header", [f" {NEWEST_LEGACY} ", f"\t{NEWEST_LEGACY}\t"], ids=["spaces", "tabs"])
def test_blanks_around_the_version_in_the_header_do_not_count(mcp: Endpoint, header: str) -> None:
    assert mcp.legacy("ping", version=header).result == {}


@pytest.mark.parametrize("header", [None, *LEGACY])
def test_initialize_without_modern_markers_is_the_handshake(mcp: Endpoint, header: str | None) -> None:
    params = {"protocolVersion": NEWEST_LEGACY, "capabilities": {}, "clientInfo": {"name": "w", "version": "1"}}
    assert mcp.legacy("initialize", params, version=header).result["protocolVersion"] == NEWEST_LEGACY


def test_initialize_in_modern_form_is_a_removed_method(mcp: Endpoint) -> None:
    assert mcp.modern("initialize", {"protocolVersion": MODERN}).outcome == (404, -32601)


def test_initialize_with_a_modern_header_and_no_meta_is_malformed(mcp: Endpoint) -> None:
    reply = mcp.legacy("initialize", {"protocolVersion": MODERN, "capabilities": {}}, version=MODERN)
    assert reply.outcome == (400, -32602)


@pytest.mark.parametrize("version", [None, *LEGACY])
def test_discover_on_a_legacy_request_is_an_unknown_method(mcp: Endpoint, version: str | None) -> None:
    assert mcp.legacy("server/discover", {}, version=version).outcome == (200, -32601)


def test_the_two_eras_may_alternate_on_one_connection(mcp: Endpoint) -> None:
    connection = mcp.registry.connect()
    for message, status in [(call("ping"), 200), (modern_call("tools/list"), 200), (modern_call("ping"), 404)] * 2:
        fields = modern_fields(message) if "params" in message else {}
        body = json.dumps(message).encode()
        connection.request("POST", "/mcp", body, {"Content-Type": "application/json"} | fields)
        response = connection.getresponse()
        response.read()
        assert response.status == status
    connection.close()


def test_a_version_in_the_body_decides_even_without_any_header(mcp: Endpoint) -> None:
    message = call("tools/list", {"_meta": {VERSION_KEY: MODERN, CAPABILITIES_KEY: {}}})
    assert mcp.send(message).outcome == (400, -32020)
