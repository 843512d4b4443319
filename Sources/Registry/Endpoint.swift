internal import Crypto
public import DBDriver

/// The URL of a service's MCP endpoint: `http` or `https`, with a host, and without user information or fragment.
///
/// Anything else is refused at the edge: the original registry *executed* an endpoint that named a local file.
public struct Endpoint: RawRepresentable, SQLConvertible, Sendable, Hashable, Codable, CustomStringConvertible {
    /// The URL as it was written.
    public let rawValue: String

    /// The URL when it keeps the rules, else nil.
    public init?(rawValue: String) {
        guard Self.problem(with: rawValue) == nil else { return nil }
        self.rawValue = rawValue
    }

    /// The URL when it keeps the rules.
    ///
    /// - Throws: ``RegistryError`` with code `invalid`.
    public init(_ text: String) throws(RegistryError) {
        if let problem = Self.problem(with: text) { throw RegistryError(.invalid, "endpoint \(problem)") }
        rawValue = text
    }

    /// The URL itself.
    public var description: String { rawValue }

    /// What endpoints are unique by: a URL is too long for an index of its own.
    var sha256: [UInt8] { Array(SHA256.hash(data: Array(canonical.utf8))) }

    /// Whether both are the same place, however it is written.
    func isSame(as other: Endpoint) -> Bool { canonical.utf8.elementsEqual(other.canonical.utf8) }

    /// Host and port, in lower case; without a port that is the scheme's own.
    var host: String {
        guard let mark = canonical.firstRange(of: "://") else { return canonical }
        return String(canonical[mark.upperBound...].prefix { !"/?#".contains($0) })
    }

    /// The URL with scheme and host in lower case and without a port that is the scheme's own (RFC 3986 section 6.2.3).
    private var canonical: String {
        guard let mark = rawValue.firstRange(of: "://") else { return rawValue }
        let scheme = rawValue[..<mark.lowerBound].lowercased()
        let rest = rawValue[mark.upperBound...]
        var authority = rest.prefix { !"/?#".contains($0) }.lowercased()
        let path = rest.dropFirst(authority.count)
        let port = scheme == "https" ? ":443" : ":80"
        if authority.hasSuffix(port), !authority.hasPrefix("[") || authority.hasSuffix("]" + port) {
            authority.removeLast(port.count)
        }
        return "\(scheme)://\(authority)\(path.isEmpty ? "/" : String(path))"
    }

    /// The rules that need no resolving; where the address leads is checked when it is connected to.
    private static func problem(with text: String) -> String? {
        guard !text.isEmpty else { return "must not be empty" }
        guard text.utf8.count <= Limits.endpointBytesMax else {
            return "is longer than \(Limits.endpointBytesMax) bytes"
        }
        guard
            text.unicodeScalars.allSatisfy({
                $0.value > 0x20 && $0.value < 0x7f && !"\"<>\\^`{|}".contains(Character($0))
            })
        else {
            return "must be a URL of printable ASCII characters: percent-encode all others"
        }
        let lowered = text.lowercased()
        guard let scheme = ["https://", "http://"].first(where: lowered.hasPrefix) else {
            return "must be a URL that begins with http:// or https://, such as https://pizza.example/mcp"
        }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { !"/?#".contains($0) }
        guard !rest.contains("#") else { return "must not have a fragment (#)" }
        guard !authority.contains("@") else {
            return "must not hold a user name or password: store a credential instead"
        }
        return problem(withAuthority: authority)
    }

    private static func problem(withAuthority authority: Substring) -> String? {
        var host = authority
        var port: Substring = ""
        if authority.first == "[" {
            guard let close = authority.firstIndex(of: "]") else { return "has '[' without ']' in its host" }
            host = authority[authority.index(after: authority.startIndex)..<close]
            port = authority[authority.index(after: close)...]
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[colon...]
        }
        guard !host.isEmpty else { return "has no host" }
        guard port.isEmpty || (port.first == ":" && UInt16(port.dropFirst()).map { $0 > 0 } == true) else {
            return "has a port that is no number from 1 to 65535"
        }
        return nil
    }
}
