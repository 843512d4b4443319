/// The revisions of MCP that are spoken here.
public enum ProtocolVersion: String, Sendable, CaseIterable {
    /// The first revision; served over Streamable HTTP to clients that negotiate it.
    case v20241105 = "2024-11-05"
    /// The revision with batches, and the one that a request without any version is taken for.
    case v20250326 = "2025-03-26"
    /// The revision that brought structured content.
    case v20250618 = "2025-06-18"
    /// The last revision with `initialize`.
    case v20251125 = "2025-11-25"
    /// The first revision without a handshake: every request says its version.
    case v20260728 = "2026-07-28"

    /// Whether every request carries its version in `_meta`; otherwise `initialize` negotiates it.
    public var isModern: Bool { self == .v20260728 }

    /// The newest revision with a handshake; offered and answered when the other side's wish is unknown.
    static let newestLegacy = ProtocolVersion.v20251125
    /// What a legacy request without a version header speaks (2025-11-25, transports, "Protocol Version Header").
    static let assumedLegacy = ProtocolVersion.v20250326
    /// The newest modern revision.
    static let newestModern = ProtocolVersion.v20260728
    /// What `server/discover` and error -32022 list, newest first.
    static let advertised: [ProtocolVersion] = [.v20260728, .v20251125, .v20250618, .v20250326]
}

/// The keys of `_meta` that MCP 2026-07-28 defines for requests and results.
enum MetaKey {
    static let protocolVersion = "io.modelcontextprotocol/protocolVersion"
    static let clientCapabilities = "io.modelcontextprotocol/clientCapabilities"
    static let clientInfo = "io.modelcontextprotocol/clientInfo"
    static let serverInfo = "io.modelcontextprotocol/serverInfo"
}

/// The header fields that MCP defines.
enum MCPHeader {
    static let protocolVersion = "MCP-Protocol-Version"
    static let method = "Mcp-Method"
    static let name = "Mcp-Name"
    static let sessionID = "Mcp-Session-Id"
}
