"""What is asked of the server, what a right answer is, and what is to be reached."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from dataset import Dataset, description_of_tool, endpoint_of, prompt_of, service_name, token_of, tool_name
from registry import Answer
from targets import LIST, MCP_LIST, MCP_TOOL, NOT_MODIFIED, POINT, SQLITE, Target

MODERN, LEGACY = "2026-07-28", "2025-06-18"


@dataclass(frozen=True)
class Template:
    """A request with <service>, <user> and <role> where names belong."""

    method: str
    target: str
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def filled(self, names: dict[str, str]) -> "Template":
        def fill(text: str) -> str:
            for kind, name in names.items():
                text = text.replace(f"<{kind}>", name)
            return text

        headers = tuple((name, fill(value)) for name, value in self.headers)
        return replace(self, target=fill(self.target), body=fill(self.body), headers=headers)

    def with_headers(self, headers: dict[str, str]) -> "Template":
        return replace(self, headers=(*self.headers, *headers.items()))

    def text(self, host: str) -> str:
        """As it goes over the wire, names left open."""
        fields = [("Host", host), *self.headers]
        if self.body:
            # Any names will do: they are all of one length.
            length = len(self.filled(Dataset().pick(0)).body)
            fields += [("Content-Type", "application/json"), ("Content-Length", str(length))]
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        return f"{self.method} {self.target} HTTP/1.1\r\n{head}\r\n{self.body}"


Check = Callable[[Answer, Dataset, int], bool]
"""Whether an answer is right that was asked for with the names of a number."""


@dataclass(frozen=True)
class Path:
    """A line of the table."""

    name: str
    title: str
    template: Template
    is_right: Check
    targets: tuple[Target, ...] = ()
    on_sqlite: bool = False
    audit: str = ""
    """Where releases of tokens are written down, if not where the server writes them by itself."""
    has_ceiling: bool = True
    reason: str = ""
    """Why its targets may be missed; docs/performance.md says more."""
    not_modified: bool = False
    """Whether the request names the ETag of the answer before, so that there is none to send."""

    @property
    def settings(self) -> dict[str, str]:
        """What a server has to be told that answers as is to be measured."""
        return {"AUDIT_RELEASES": self.audit} if self.audit else {}

    @property
    def is_point(self) -> bool:
        """Whether it is measured against the point SELECT too."""
        return any(target.other.startswith("c-") for target in self.targets)


def rpc(method: str, parameters: dict[str, Any], is_modern: bool) -> Template:
    """A request to /mcp, with the headers of its revision."""
    revision = MODERN if is_modern else LEGACY
    headers = [("Accept", "application/json, text/event-stream"), ("MCP-Protocol-Version", revision)]
    if is_modern:
        meta = {
            "io.modelcontextprotocol/protocolVersion": revision,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        }
        parameters = {"_meta": meta} | parameters
        headers += [("Mcp-Method", method)] + ([("Mcp-Name", parameters["name"])] if "name" in parameters else [])
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    return Template("POST", "/mcp", json.dumps(message, separators=(",", ":")), tuple(headers))


def call(tool: str, is_modern: bool, **arguments: str) -> Template:
    return rpc("tools/call", {"name": tool, "arguments": arguments}, is_modern)


# What is right


def is_token(answer: Answer, dataset: Dataset, number: int) -> bool:
    return answer.json == {"token": token_of(*dataset.place(number)), "method_authorization": "Bearer"}


def is_role(answer: Answer, dataset: Dataset, number: int) -> bool:
    user = number % dataset.users
    return answer.json == {"role": dataset.pick(user % dataset.roles)["role"]}


def is_prompt(answer: Answer, dataset: Dataset, number: int) -> bool:
    return answer.json == {"default_system_prompt": prompt_of(number % dataset.roles)}


def is_service_list(answer: Answer, dataset: Dataset, number: int) -> bool:
    return answer.json["services"] == {
        service_name(each): {"transport": "streamable_http", "url": endpoint_of(each)}
        for each in range(dataset.services)
    }


def is_tools_of_role(answer: Answer, dataset: Dataset, number: int) -> bool:
    return answer.json["tools"] == [
        {
            "id": tool + 1,
            "name": tool_name(tool % dataset.tools_per_service),
            "description": description_of_tool(tool),
            "service_name": service_name(tool // dataset.tools_per_service),
        }
        for tool in dataset.tools_of_role(number % dataset.roles)
    ]


def is_tool_list(answer: Answer, dataset: Dataset, number: int) -> bool:
    return {"list_services", "get_tools"} <= {tool["name"] for tool in answer.json["result"]["tools"]}


def is_mcp_service_list(answer: Answer, dataset: Dataset, number: int) -> bool:
    told = [(each["service_name"], each["endpoint"]) for each in answer.json["result"]["structuredContent"]["result"]]
    return told == [(service_name(each), endpoint_of(each)) for each in range(dataset.services)]


def is_mcp_tools(answer: Answer, dataset: Dataset, number: int) -> bool:
    service, _ = dataset.place(number)
    first = service * dataset.tools_per_service
    told = [each["description"] for each in answer.json["result"]["structuredContent"]["result"]]
    return told == [description_of_tool(tool) for tool in range(first, first + dataset.tools_per_service)]


def is_ok(answer: Answer, dataset: Dataset, number: int) -> bool:
    return answer.status == 200


def is_nothing(answer: Answer, dataset: Dataset, number: int) -> bool:
    return answer.status == 304 and not answer.text


READS_MESSAGE = "it checks a credential, reads and writes JSON-RPC and writes a line of the log, which Hummingbird does not"
READS_REVISION = "it checks a credential, reads the revision and writes a line of the log, which Hummingbird does not"
READS_BOTH = f"{READS_REVISION}, and reads and writes JSON-RPC"
TOKEN = Template("GET", "/token?service_name=<service>&user_id=<user>")
SERVICES = Template("GET", "/list_services")


def mcp_paths(is_modern: bool) -> list[Path]:
    suffix, word = ("", MODERN) if is_modern else ("-legacy", LEGACY)
    return [
        Path(
            f"mcp-tools-list{suffix}",
            f"MCP tools/list ({word})",
            rpc("tools/list", {}, is_modern),
            is_tool_list,
            MCP_LIST,
            reason=READS_MESSAGE,
        ),
        Path(
            f"mcp-list-services{suffix}",
            f"MCP list_services ({word})",
            call("list_services", is_modern),
            is_mcp_service_list,
            MCP_TOOL,
            reason=READS_BOTH,
        ),
        Path(
            f"mcp-get-tools{suffix}",
            f"MCP get_tools ({word})",
            call("get_tools", is_modern, service_name="<service>"),
            is_mcp_tools,
            MCP_TOOL,
            reason=READS_BOTH,
        ),
    ]


PATHS = [
    Path("health", "GET /health", Template("GET", "/health"), is_ok),
    Path(
        "token",
        "GET /token",
        TOKEN,
        is_token,
        POINT,
        reason="it writes a row of the audit before it tells the token, C and Hummingbird write none",
    ),
    Path(
        "token-after",
        "GET /token, AUDIT_RELEASES=after",
        TOKEN,
        is_token,
        POINT,
        audit="after",
        reason="it writes a row of the audit for each token, C and Hummingbird write none",
    ),
    Path(
        "token-log",
        "GET /token, AUDIT_RELEASES=log",
        TOKEN,
        is_token,
        POINT,
        audit="log",
        reason="it decrypts, and writes two lines of the log, C and Hummingbird none",
    ),
    Path(
        "role-for-user",
        "POST /role_for_user",
        Template("POST", "/role_for_user", '{"user_id":"<user>"}'),
        is_role,
        POINT,
    ),
    Path(
        "system-prompt",
        "POST /system_prompt_for_role",
        Template("POST", "/system_prompt_for_role", '{"role":"<role>"}'),
        is_prompt,
        POINT,
    ),
    Path("list-services", "GET /list_services", SERVICES, is_service_list, LIST, reason=READS_REVISION),
    Path(
        "not-modified",
        "GET /list_services, 304",
        SERVICES,
        is_nothing,
        NOT_MODIFIED,
        not_modified=True,
        reason=f"{READS_REVISION}, and it saves the sending of 5 KB only",
    ),
    Path(
        "tools-for-role",
        "POST /tools_for_role",
        Template("POST", "/tools_for_role", '{"role":"<role>"}'),
        is_tools_of_role,
        LIST,
        reason=READS_REVISION,
    ),
    *mcp_paths(is_modern=True),
    *mcp_paths(is_modern=False),
    Path("token-sqlite", "GET /token on SQLite", TOKEN, is_token, SQLITE, on_sqlite=True, has_ceiling=False),
]
