"""Section 12: what the official conformance suite asserts of a server that offers tools only. One class per scenario.

The scenarios that need fixture tools (`tools-call-*` with `test_*` tools, `json-schema-2020-12`, `sampling`,
`elicitation`, `input-required-result-*`, `tasks-*`, …) or features that are not offered have nothing to assert here.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from endpoint import ABSENT, CAPABILITIES_KEY, CLIENT_KEY, VERSION_KEY, Endpoint, call, meta, modern_call, modern_fields
from specification import META, MODERN

pytest_plugins = ["deployments"]

WITH_TOOLS = ["2025-06-18", "2025-11-25", MODERN]


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in meta().items() if name != key}


class TestServerStateless:
    """`server-stateless` (2026-07-28)"""

    @pytest.mark.parametrize(
        "own",
        [ABSENT, without(VERSION_KEY), without(CAPABILITIES_KEY)],
        ids=["_meta", "protocolVersion", "clientCapabilities"],
    )
    @pytest.mark.parametrize("method", ["tools/list", "server/discover"])
    def test_400_and_32602_without(self, mcp: Endpoint, method: str, own: Any) -> None:
        params = {} if own is ABSENT else {"_meta": own}
        reply = mcp.send(call(method, params), **{"MCP-Protocol-Version": MODERN, "Mcp-Method": method})
        assert reply.outcome == (400, -32602)

    @pytest.mark.parametrize("method", ["tools/list", "server/discover"])
    def test_200_without_client_info(self, mcp: Endpoint, method: str) -> None:
        assert mcp.modern(method, {"_meta": without(CLIENT_KEY)}).status == 200

    def test_discover_has_versions_capabilities_and_server_info(self, mcp: Endpoint) -> None:
        result = mcp.modern("server/discover").result
        assert MODERN in result["supportedVersions"] and isinstance(result["capabilities"], dict)
        assert {"name", "version"} <= set(result["_meta"][META + "serverInfo"])

    @pytest.mark.parametrize(
        "capability, method",
        [("tools", "tools/list"), ("prompts", "prompts/list"), ("resources", "resources/list")],
    )
    def test_a_list_works_if_and_only_if_its_capability_is_declared(
        self, mcp: Endpoint, capability: str, method: str
    ) -> None:
        is_declared = capability in mcp.modern("server/discover").result["capabilities"]
        assert mcp.modern(method).outcome == ((200, None) if is_declared else (404, -32601))

    def test_an_unsupported_version_lists_the_supported_ones(self, mcp: Endpoint) -> None:
        reply = mcp.modern("tools/list", {"_meta": meta("v999.0.0")})
        assert reply.outcome == (400, -32022)
        supported = mcp.modern("server/discover").result["supportedVersions"]
        assert set(reply.error["data"]["supported"]) <= set(supported)
        assert reply.error["data"]["requested"] == "v999.0.0"

    def test_a_header_that_differs_is_a_mismatch(self, mcp: Endpoint) -> None:
        reply = mcp.modern("tools/list", {"_meta": meta("v999.0.0")}, **{"MCP-Protocol-Version": MODERN})
        assert reply.outcome == (400, -32020)

    @pytest.mark.parametrize(
        "method",
        [
            "initialize",
            "ping",
            "logging/setLevel",
            "resources/subscribe",
            "resources/unsubscribe",
            "unknown/method",
            "subscriptions/listen",
        ],
    )
    def test_404_and_32601_for(self, mcp: Endpoint, method: str) -> None:
        assert mcp.modern(method).outcome == (404, -32601)

    @pytest.mark.parametrize("id", [7, "seven", 0, ""], ids=repr)
    def test_every_error_echoes_the_id(self, mcp: Endpoint, id: Any) -> None:
        replies = [
            mcp.modern("unknown/method", id=id),
            mcp.modern("tools/list", {"_meta": without(CAPABILITIES_KEY)}, id=id),
            mcp.modern("tools/list", {"_meta": meta("v999.0.0")}, id=id),
            mcp.modern("tools/list", id=id, **{"Mcp-Method": "x"}),
            mcp.send(call("tools/list", {}, id), **{"MCP-Protocol-Version": MODERN}),
        ]
        assert [reply.message["id"] for reply in replies] == [id] * len(replies)


class TestHTTPHeaderValidation:
    """`http-header-validation` (2026-07-28): calls the first listed tool with `{}`"""

    def first(self, mcp: Endpoint) -> tuple[dict[str, Any], dict[str, Any]]:
        name = mcp.modern("tools/list").result["tools"][0]["name"]
        message = modern_call("tools/call", {"name": name, "arguments": {}})
        return message, dict(modern_fields(message))

    @pytest.mark.parametrize("name", ["Mcp-Method", "Mcp-Name"])
    @pytest.mark.parametrize("change", ["wrong", "missing"])
    def test_400_and_32020_when(self, mcp: Endpoint, change: str, name: str) -> None:
        message, fields = self.first(mcp)
        value = {"wrong": "something-else", "missing": None}[change]
        assert mcp.send(message, **(fields | {name: value})).outcome == (400, -32020)

    @pytest.mark.parametrize("method", ["tools/list", "server/discover", "tools/call"])
    def test_400_and_32020_when_the_method_has_another_case(self, mcp: Endpoint, method: str) -> None:
        message, fields = self.first(mcp) if method == "tools/call" else (modern_call(method), {})
        fields = fields or dict(modern_fields(message))
        assert mcp.send(message, **(fields | {"Mcp-Method": method.upper()})).outcome == (400, -32020)

    @pytest.mark.parametrize("spell", [str.lower, str.upper, str.title], ids=lambda spell: spell.__name__)
    def test_header_names_are_case_insensitive(self, mcp: Endpoint, spell: Any) -> None:
        message, fields = self.first(mcp)
        assert "result" in mcp.send(message, **{spell(name): value for name, value in fields.items()}).message

    @pytest.mark.parametrize("form", ["  %s", "%s  ", "  %s  "])
    def test_blanks_around_the_name_are_accepted(self, mcp: Endpoint, form: str) -> None:
        message, fields = self.first(mcp)
        assert "result" in mcp.send(message, **(fields | {"Mcp-Name": form % fields["Mcp-Name"]})).message

    def test_the_first_tool_answers_without_arguments_and_does_no_harm(self, mcp: Endpoint) -> None:
        message, fields = self.first(mcp)
        assert "result" in mcp.send(message, **fields).message
        assert mcp.tools[message["params"]["name"]]["annotations"]["readOnlyHint"] is True


@pytest.mark.parametrize("version", WITH_TOOLS)
class TestToolsList:
    """`tools-list` (2025-06-18 and later)"""

    def test_each_tool_has_name_description_and_schema(self, mcp: Endpoint, version: str) -> None:
        reply = mcp.modern("tools/list") if version == MODERN else mcp.legacy("tools/list", version=version)
        tools = reply.result["tools"]
        assert tools
        for tool in tools:
            assert re.fullmatch(r"[A-Za-z0-9_./-]{1,64}", tool["name"])
            assert tool["description"].strip() and tool["inputSchema"]["type"] == "object"


@pytest.mark.parametrize("version", ["2025-11-25", MODERN])
class TestDNSRebindingProtection:
    """`dns-rebinding-protection` (2025-11-25, 2026-07-28)"""

    def request(self, version: str) -> tuple[dict[str, Any], dict[str, Any]]:
        if version == MODERN:
            message = modern_call("server/discover")
            return message, dict(modern_fields(message))
        client = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
        return call("initialize", client), {}

    def test_4xx_for_a_foreign_host_and_origin(self, mcp: Endpoint, version: str) -> None:
        message, fields = self.request(version)
        evil = {"Host": "evil.example.com", "Origin": "http://evil.example.com"}
        assert 400 <= mcp.send(message, **(fields | evil)).status < 500

    def test_2xx_for_its_own(self, mcp: Endpoint, version: str) -> None:
        message, fields = self.request(version)
        own = {"Host": mcp.authority, "Origin": f"http://{mcp.authority}"}
        assert mcp.send(message, **(fields | own)).status == 200


class TestCaching:
    """`caching` (2026-07-28)"""

    @pytest.mark.parametrize(
        "method",
        [
            "server/discover",
            "tools/list",
            "prompts/list",
            "resources/list",
            "resources/templates/list",
            "resources/read",
        ],
    )
    def test_hints_on(self, mcp: Endpoint, method: str) -> None:
        first = mcp.modern("resources/list").result["resources"][0]["uri"]
        result = mcp.modern(method, {"uri": first} if method == "resources/read" else {}).result
        assert type(result["ttlMs"]) is int and result["ttlMs"] >= 0
        assert result["cacheScope"] in ("public", "private")


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
class TestServerInitialize:
    """`server-initialize` (up to 2025-11-25) and `server-session-lifecycle` (2025-03-26 to 2025-11-25)"""

    def test_handshake_without_a_session(self, mcp: Endpoint, version: str) -> None:
        client = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
        reply = mcp.legacy("initialize", client, id=0)
        assert reply.result["protocolVersion"] == version
        assert {"name", "version"} <= set(reply.result["serverInfo"])
        assert reply.headers["Mcp-Session-Id"] is None
        fields = {"MCP-Protocol-Version": version}
        assert mcp.send(call("notifications/initialized", id=ABSENT), **fields).status == 202
        assert mcp.send(None, verb="DELETE", **fields).status == 405


@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25"])
class TestPing:
    """`ping` (2025-06-18, 2025-11-25)"""

    def test_ping(self, mcp: Endpoint, version: str) -> None:
        assert mcp.legacy("ping", version=version).result == {}


@pytest.mark.parametrize("version", ["2025-11-25", MODERN])
class TestServerSSEMultipleStreams:
    """`server-sse-multiple-streams`"""

    def test_three_requests_at_once_are_answered(self, mcp: Endpoint, version: str) -> None:
        def ask(id: int) -> int:
            if version == MODERN:
                return mcp.modern("tools/list", id=id).status
            return mcp.legacy("tools/list", version=version, id=id).status

        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(ask, range(3))) == [200] * 3


class TestSEP2164ResourceNotFound:
    """`sep-2164-resource-not-found` (2026-07-28)"""

    def test_an_unknown_uri_is_an_error_that_names_it(self, mcp: Endpoint) -> None:
        reply = mcp.modern("resources/read", {"uri": "test://nonexistent-resource-for-conformance-testing"})
        assert "result" not in reply.message
        assert reply.outcome == (400, -32602)
        assert reply.error["data"]["uri"] == "test://nonexistent-resource-for-conformance-testing"


@pytest.mark.parametrize("version", WITH_TOOLS)
class TestResourcesListPromptsList:
    """`resources-list`, `prompts-list`: schema-valid arrays, which may be empty"""

    @pytest.mark.parametrize("method, member", [("resources/list", "resources"), ("prompts/list", "prompts")])
    def test_arrays(self, mcp: Endpoint, version: str, method: str, member: str) -> None:
        reply = mcp.modern(method) if version == MODERN else mcp.legacy(method, version=version)
        assert isinstance(reply.result[member], list)


class TestHTTPCustomHeaderServerValidation:
    """`http-custom-header-server-validation`: nothing to assert as long as no tool uses `x-mcp-header`"""

    def test_no_tool_mirrors_an_argument_in_a_header(self, mcp: Endpoint) -> None:
        assert "x-mcp-header" not in mcp.modern("tools/list").text
