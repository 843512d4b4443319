"""The ways in which the SDKs of this environment can serve MCP, each a server of its own."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True)
class Variant:
    """One server. `Tests/Clients/interop/servers` builds it from these fields alone."""

    library: str
    """The SDK: mcp or fastmcp."""
    name: str
    transport: str = "http"
    """http: Streamable HTTP; sse: HTTP+SSE of 2024-11-05."""
    stateful: bool = True
    """Whether the server keeps sessions for those who shake hands."""
    json: bool = False
    """Whether it answers with JSON instead of a stream of one event."""
    path: str = "/mcp"
    """Where the SDK serves."""
    url_path: str = ""
    """What is registered, where that is another path than the SDK's."""
    mount: str = ""
    """A folder that the SDK's application is mounted below."""
    cursors: str = ""
    """How long lists are cut into pages. opaque: by cursors; empty: the second page has the cursor ""."""
    eras: str = ""
    """The one era that a gateway before the server lets through: modern or legacy."""
    refusal: str = ""
    """Why the registry can't read this server, where that is the SDK's fault."""

    @property
    def id(self) -> str:
        return f"{self.library}-{self.name}"

    @property
    def registered_path(self) -> str:
        return self.url_path or self.path

    @property
    def is_modern(self) -> bool:
        """Whether the newest revision is what we and this server agree on."""
        return self.transport == "http" and self.eras != "legacy" and installed("mcp")[0] >= 2


def installed(library: str) -> tuple[int, int]:
    """The major and minor version of an SDK in this environment; zeros when there is none."""
    try:
        major, minor, *_ = version(library).split(".")
    except PackageNotFoundError:
        return 0, 0
    return int(major), int(minor)


def http_sse(library: str) -> list[Variant]:
    """The servers that speak HTTP+SSE. All SDKs can."""
    # mcp 1.6 tells an address without the folder, and never sees a cursor: it looks for it beside `params`, not inside.
    lost, repeated = ("HTTP status 404", "same page cursor twice") if installed("mcp") < (1, 8) else ("", "")
    return [
        Variant(library, "http+sse", "sse", path="/sse"),
        Variant(library, "http+sse-at-another-path", "sse", path="/events"),
        Variant(library, "http+sse-mounted", "sse", path="/sse", mount="/below", url_path="/below/sse", refusal=lost),
        Variant(library, "http+sse-paginated", "sse", path="/sse", cursors="opaque", refusal=repeated),
        Variant(library, "http+sse-empty-cursor", "sse", path="/sse", cursors="empty", refusal=repeated),
    ]


def streamable_http(library: str) -> list[Variant]:
    """The servers that speak Streamable HTTP, which the SDKs do since mcp 1.8."""
    return [
        Variant(library, "stateful-sse"),
        Variant(library, "stateful-json", json=True),
        Variant(library, "stateless-sse", stateful=False),
        Variant(library, "stateless-json", stateful=False, json=True),
        Variant(library, "paginated-sse", cursors="opaque"),
        Variant(library, "paginated-json", stateful=False, json=True, cursors="opaque"),
        Variant(library, "empty-cursor", json=True, cursors="empty"),
        Variant(library, "mounted", path="/", mount="/mcp", url_path="/mcp"),
        Variant(library, "mounted-stateless", stateful=False, json=True, path="/", mount="/mcp", url_path="/mcp"),
        Variant(library, "with-slash", url_path="/mcp/"),
    ]


def one_era(library: str) -> list[Variant]:
    """The servers of the SDKs that know both eras, behind gateways that know one."""
    return [
        Variant(library, "modern-only-sse", eras="modern"),
        Variant(library, "modern-only-json", json=True, eras="modern"),
        Variant(library, "legacy-only-stateful-sse", eras="legacy"),
        Variant(library, "legacy-only-stateful-json", json=True, eras="legacy"),
        Variant(library, "legacy-only-stateless-sse", stateful=False, eras="legacy"),
        Variant(library, "legacy-only-stateless-json", stateful=False, json=True, eras="legacy"),
        Variant(library, "legacy-only-paginated", cursors="empty", eras="legacy"),
        Variant(library, "legacy-only-mounted", path="/", mount="/mcp", url_path="/mcp", eras="legacy"),
    ]


def variants() -> list[Variant]:
    """Every server that this environment can make."""
    made = []
    for library in ["mcp", "fastmcp"]:
        if installed(library) > (0, 0):
            made += http_sse(library)
            made += streamable_http(library) if installed("mcp") >= (1, 8) else []
            made += one_era(library) if installed("mcp") >= (2, 0) else []
    return made
