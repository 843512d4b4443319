internal import HTTPTypes
internal import HummingbirdCore

/// Refuses requests that a web page sends through its visitor's browser: foreign `Origin`s, and `Host`s that were rebound by DNS.
///
/// MCP Streamable HTTP, "Security Warning": servers MUST validate the `Origin` header to prevent DNS rebinding attacks. Programs send no
/// `Origin`. A server that listens on loopback accepts loopback hosts only, because it may be running without access
/// control; elsewhere every `Host` is fine unless a list is given.
struct OriginPolicy: Sendable {
    private let hosts: Set<String>?
    private let origins: Set<String>

    /// The names of this machine for itself, as they stand in `Host`, besides the address that a server listens on.
    static let loopbackHosts: Set<String> = ["localhost", "127.0.0.1", "[::1]"]

    /// Whether a listening address is reached from this machine only.
    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1"
            || host.hasPrefix("127.") && host.allSatisfy { $0 == "." || ("0"..."9").contains($0) }
    }

    /// Whether a text is an origin as browsers send it: scheme and authority, nothing more (RFC 6454 section 6.2).
    static func isOrigin(_ text: String) -> Bool {
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { return false }
        return name(in: String(text.dropFirst(scheme.count))).map(isHost) == true
    }

    /// Whether a text is a name or an address, IPv6 in brackets, and nothing more.
    static func isHost(_ text: String) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]") {
            return text.contains(":")
                && text.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        return !text.isEmpty && text.utf8.allSatisfy { $0.isHostByte }
    }

    /// The policy of a server.
    ///
    /// - Parameters:
    ///   - address: where it listens, as it stands in `Host`.
    ///   - isLocal: whether that is loopback.
    ///   - hosts: the hosts that the operator has listed.
    ///   - origins: the origins that the operator has listed.
    init(address: String, isLocal: Bool, hosts: Set<String>, origins: Set<String>) {
        let own = Self.loopbackHosts.union([address])
        self.init(hosts: isLocal ? hosts.union(own) : hosts.isEmpty ? nil : hosts, origins: origins)
    }

    /// - Parameters:
    ///   - hosts: the names, without ports, that may stand in `Host`; nil for any.
    ///   - origins: further origins that may call, such as `https://admin.example`.
    init(hosts: Set<String>?, origins: Set<String> = []) {
        self.hosts = hosts
        self.origins = origins
    }

    /// - Throws: ``Problem`` 403, or 400 for a `Host` that is missing, given twice or malformed (RFC 9112 section 3.2)
    func check(_ request: Request) throws {
        // The first one has become the authority.
        guard !request.headers.contains(where: { $0.name.canonicalName == "host" }) else {
            throw Problem.invalid("Host is given twice")
        }
        guard let authority = request.head.authority?.lowercased() else { throw Problem.invalid("Host is missing") }
        guard !authority.unicodeScalars.contains(where: \.isBlank) else {
            throw Problem.invalid("Host must not contain blanks")
        }
        if let hosts, Self.name(in: authority).map(hosts.contains) != true {
            throw Problem(.forbidden, "forbidden", "this Host is not served here")
        }
        let sent = request.headers[values: .origin]
        guard !sent.isEmpty else { return }
        // A Host that nobody has listed proves nothing: a rebound name is its own origin too.
        let isKnown = Self.name(in: authority).map((hosts ?? Self.loopbackHosts).contains) == true
        let own = isKnown ? ["http://" + authority, "https://" + authority] : []
        let isAllowed = sent.allSatisfy { own.contains($0.lowercased()) || origins.contains($0.lowercased()) }
        guard isAllowed else { throw Problem(.forbidden, "forbidden", "this Origin may not call the registry") }
    }

    /// The host without its port; nil when what follows it is no port.
    static func name(in authority: String) -> String? {
        let isBracketed = authority.first == "["
        let end = authority.firstIndex { $0 == (isBracketed ? "]" : ":") } ?? authority.endIndex
        guard !isBracketed || end < authority.endIndex else { return nil }
        let nameEnd = isBracketed ? authority.index(after: end) : end
        let port = authority[nameEnd...]
        guard port.isEmpty || port.first == ":" && UInt16(port.dropFirst()) != nil else { return nil }
        return String(authority[..<nameEnd])
    }
}

extension Unicode.Scalar {
    /// Whether it is white space, told quickly where it is ASCII.
    fileprivate var isBlank: Bool { isASCII ? value <= 0x20 : properties.isWhitespace }
}

extension UInt8 {
    /// Whether this may stand in a host name, as browsers and proxies write it.
    fileprivate var isHostByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
