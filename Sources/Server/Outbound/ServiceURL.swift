internal import Foundation

/// An `http` or `https` URL that was taken apart by the parser that the HTTP client uses too, so that both see the same
/// host.
struct ServiceURL: Sendable, Equatable {
    /// Whether the scheme is `https`.
    let isSecure: Bool
    /// The host as the HTTP client sees it: a name, or an IPv6 address without brackets; ASCII letters in lower case, so that
    /// a name has one spelling only.
    let host: String
    /// The port, or the scheme's default.
    let port: Int
    /// Path and query.
    private let rest: String

    /// Why a text is refused.
    enum Fault: Error {
        case syntax, scheme, userInformation, noHost, escapedHost
    }

    /// Takes a URL apart.
    init(_ text: String) throws(Fault) {
        guard let url = URL(string: text) else { throw .syntax }
        try self.init(url)
    }

    private init(_ url: URL) throws(Fault) {
        guard let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme) else { throw .scheme }
        let afterScheme = url.absoluteString.dropFirst(scheme.count + 3)
        let authority = afterScheme.prefix { !"/?#".contains($0) }
        guard !authority.contains("@") else { throw .userInformation }
        guard authority.utf8.allSatisfy({ $0 < 0x80 }), !authority.contains("%") else { throw .escapedHost }
        guard var host = url.host, !host.isEmpty, host.utf8.allSatisfy({ $0 < 0x80 }) else { throw .noHost }
        if authority.hasPrefix("[") {
            host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
            guard host.contains(":") else { throw .escapedHost }
        }
        let port = url.port ?? (scheme == "https" ? 443 : 80)
        guard (1...65_535).contains(port) else { throw .syntax }
        (isSecure, self.host, self.port) = (scheme == "https", host.lowercased(), port)
        rest = String(afterScheme.dropFirst(authority.count).prefix { $0 != "#" })
    }

    private init(_ base: ServiceURL, _ rest: String) {
        (isSecure, host, port, self.rest) = (base.isSecure, base.host, base.port, rest)
    }

    /// The URL that a reference means here (RFC 3986 section 5), or `nil` when it is none or has another origin. What it takes
    /// from the reference is path and query: scheme, host and port are this URL's own, and so have been judged.
    func sameOrigin(_ reference: String) -> ServiceURL? {
        guard let base = URL(string: text), let url = URL(string: reference, relativeTo: base)?.absoluteURL,
            let target = try? ServiceURL(url), target.isSecure == isSecure, target.port == port,
            target.host.utf8.elementsEqual(host.utf8)
        else { return nil }
        return ServiceURL(self, target.rest)
    }

    /// The whole URL, without fragment.
    var text: String {
        let isStandard = port == (isSecure ? 443 : 80)
        let host = host.contains(":") ? "[\(host)]" : host
        return "\(isSecure ? "https" : "http")://\(host)\(isStandard ? "" : ":\(port)")\(rest)"
    }

    /// Host and port: what discovery contacts once at a time.
    var authority: String { "\(host):\(port)" }

    /// Whether the path is one that services of HTTP+SSE usually have.
    var looksLikeStream: Bool { rest.prefix { $0 != "?" }.hasSuffix("/sse") }
}
