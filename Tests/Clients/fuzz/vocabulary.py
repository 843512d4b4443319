"""The words that requests to /mcp are made of: those that belong there, and those that do not."""

import base64
from typing import Any

LEGACY = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
MODERN = "2026-07-28"
META = "io.modelcontextprotocol/"
VERSIONS = [*LEGACY, MODERN, "v999.0.0", "", "2026-07-28 ", "0", "2025-11-25, 2025-11-25"]
METHODS = [
    "initialize",
    "ping",
    "server/discover",
    "tools/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "resources/subscribe",
    "tasks/get",
    "subscriptions/listen",
    "notifications/initialized",
    "notifications/cancelled",
    "unknown/method",
]

# Few names, so that what the registry stores stays small however many requests come.
ROLES = [f"role{number}" for number in range(8)]
USERS = [f"user{number}" for number in range(8)]
SERVICES = ["pizzeria", "service1", "service2"]
# Texts that stand where a text is expected and not. None of them leads to another machine.
TEXTS = [
    "",
    " ",
    "a",
    "a" * 300,
    "b" * 1_500,
    "\x00",
    "a\x00b",
    "\n\r\t",
    "\x1b[31m",
    "\u007f\u0085",
    "\u200b\u202e\ufeff",
    "e\u0301 \u00e9",
    "\u0130\u0131\u1e9e",
    "\U0001f355" * 20,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\uffff\U0010ffff",
    "\ufdfd" * 10,
    "' OR 1=1 --",
    '"; DROP TABLE roles; --',
    "%s%n%x",
    "%00%zz%",
    "../../etc/passwd",
    "${jndi:x}",
    "<script>alert(1)</script>",
    "null",
    "true",
    "0",
    "-1",
    "1e400",
    "__proto__",
    "=?base64?bGlzdF91c2Vycw==?=",
    "=?base64?",
    "resource://service_description",
    "registry://services",
    "registry://services/pizzeria",
    "registry://services/%70izzeria",
    "registry://services/%",
    "registry://services/%ff",
    "registry://services/" + "a" * 1_500,
    "registry://services//",
]
# An endpoint where nobody is, and others that are refused.
DEAD = "http://127.0.0.1:1/mcp"
ENDPOINTS = [
    "",
    "a",
    "ftp://127.0.0.1/",
    "http://",
    "http://127.0.0.1:99999/",
    "http://user:password@127.0.0.1:1/",
    "http://127.0.0.1:1/#fragment",
    "javascript:alert(1)",
    "file:///etc/passwd",
]
# Bytes that are no JSON, or JSON that is hard to take.
TOKENS = [
    b"1e400",
    b"-1e400",
    b"-0",
    b"-0.0",
    b"1.0",
    b"1e2",
    b"0.1e-400",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"1" * 400,
    b"0." + b"3" * 400,
    b"1e99999999999999999999",
    b"01",
    b"+1",
    b".5",
    b"1.",
    b"NaN",
    b"Infinity",
    b"nul",
    b"True",
    b"'x'",
    b"undefined",
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b'"\\ud83c\\udf55"',
    b'"\\u0000"',
    b'"\\x"',
    b'"\\u12"',
    b'"\xff"',
    b'"\xc0\x80"',
    b'"\xed\xa0\x80"',
    b'"\xf4\x90\x80\x80"',
    b'"\xe2\x82"',
    b'"\x01"',
    b'"open',
    b"[" * 60 + b"]" * 60,
    b"[" * 70 + b"]" * 70,
    b'{"a":' * 63 + b"1" + b"}" * 63,
    b"[" * 1_000,
    b"[" * 700 + b"]" * 700,
    b'{"a":' * 400,
    b'{"a":1,"a":2}',
    b'{"a":1,"\\u0061":2}',
    b"{,}",
    b"[1,]",
    b'{"a"}',
    b"",
    b"/**/1",
    b"1 2",
]
FIELDS: list[tuple[bytes, list[bytes]]] = [
    (b"MCP-Protocol-Version", [*(version.encode() for version in VERSIONS), b"\xff", b"x" * 9_000]),
    (b"Mcp-Method", [*(method.encode() for method in METHODS), b"tools/call", b"TOOLS/LIST", b"", b"\xc3\xa9"]),
    (
        b"Mcp-Name",
        [
            b"list_users",
            b"=?base64?bGlzdF91c2Vycw==?=",
            b"=?base64?bGlzdF91c2Vycw=?=",
            b"=?base64?bGlzdF91c2Vycx==?=",
            b"=?base64?????=",
            b"=?base64??=",
            b"=?base64?=",
            b"=?BASE64?bGlzdF91c2Vycw==?=",
            b"=?base64?/////w==?=",
            b"=?base64?" + base64.b64encode(b"x" * 3_000) + b"?=",
            b"",
            b"\xf0\x9f\x8d\x95",
        ],
    ),
    (
        b"Accept",
        [
            b"application/json",
            b"text/event-stream",
            b"application/json, text/event-stream",
            b"*/*",
            b"text/html",
            b"",
            b",,,",
            b";q=0",
            b"application/json;q=0",
            b"application/json;q=nan",
            b"*/*;q=0.0000000000000001",
            b"text/*",
            b"a/b," * 500,
            b"\xff/\xff",
        ],
    ),
    (
        b"Content-Type",
        [
            b"application/json",
            b"application/json; charset=utf-16",
            b"APPLICATION/JSON",
            b"text/plain",
            b"",
            b";",
            b"application/json;" * 200,
            b"multipart/form-data; boundary=x",
            b"\xff",
        ],
    ),
    (b"Host", [b"127.0.0.1", b"localhost:1", b"evil.example.com", b"[::1]", b"[", b"]:", b":", b"", b"a" * 5_000]),
    (b"Origin", [b"null", b"http://evil.example.com", b"http://127.0.0.1", b"", b"\xff", b"http://[::1"]),
    (b"Authorization", [b"Bearer x", b"Basic eDp5", b"Bearer", b"", b"Bearer " + b"x" * 9_000]),
    (b"Mcp-Session-Id", [b"x", b"", b"\xff", b"a" * 2_000]),
    (b"Last-Event-ID", [b"7", b""]),
    (b"Content-Encoding", [b"gzip", b"identity"]),
    (b"Expect", [b"100-continue", b"x"]),
    (b"Range", [b"bytes=0-1"]),
    (b"X-Forwarded-For", [b"127.0.0.1", b"a" * 3_000]),
    (b"x" * 300, [b"y" * 300]),
]
VERBS = [b"GET", b"DELETE", b"PUT", b"PATCH", b"HEAD", b"OPTIONS"]
PATHS = [b"/mcp/", b"/mcp?x=%zz", b"/mcp//", b"/mcp/x", b"/MCP", b"/", b"/%6dcp", b"/mcp" + b"a" * 3_000]
SCALARS: list[Any] = [None, True, False, 0, 1, -1, 2**53, 2**63 - 1, -(2**63), 2**64, 10**40, 1.5, 1e300, -0.0]


# What stands between the bytes of a damaged request, and lengths that are none.
INSERTS = (b"\r\n", b"\r\n\r\n", b"\x00", b"\n", b": ", b"GET / HTTP/1.1\r\n\r\n")
LENGTHS = (b"0", b"-1", b"x", b"99999999999999999999", b"1048577", b"1, 1")
