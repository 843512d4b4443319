internal import Foundation

/// An `http` or `https` URL that was taken apart by the parser that the HTTP client uses too, so that both see the same
/// host.
struct ServiceURL: Sendable, Equatable {
    /// The whole URL, without fragment.
    let text: String
    /// Whether the scheme is `https`.
    let isSecure: Bool
    /// The host as the HTTP client sees it: a name, or an IPv6 address without brackets.
    let host: String
    /// The port, or the scheme's default.
    let port: Int

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
        let authority = url.absoluteString.dropFirst(scheme.count + 3).prefix { !"/?#".contains($0) }
        guard !authority.contains("@") else { throw .userInformation }
        guard !authority.contains("%") else { throw .escapedHost }
        guard var host = url.host, !host.isEmpty else { throw .noHost }
        if authority.hasPrefix("[") {
            host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
            guard host.contains(":") else { throw .escapedHost }
        }
        let port = url.port ?? (scheme == "https" ? 443 : 80)
        guard (1...65_535).contains(port) else { throw .syntax }
        (isSecure, self.host, self.port) = (scheme == "https", host, port)
        text = String(url.absoluteString.prefix { $0 != "#" })
    }

    /// The URL that a reference means here (RFC 3986 section 5), or `nil` when it is none or has another origin.
    func sameOrigin(_ reference: String) -> ServiceURL? {
        guard let base = URL(string: text), let url = URL(string: reference, relativeTo: base)?.absoluteURL,
            let target = try? ServiceURL(url), target.origin == origin
        else { return nil }
        return target
    }

    /// Scheme, host and port, in one form for each origin.
    var origin: String { "\(isSecure ? "https" : "http")://\(authority)" }

    /// Host and port: what discovery contacts once at a time.
    var authority: String { "\(host.lowercased()):\(port)" }

    /// Whether the path is one that services of HTTP+SSE usually have.
    var looksLikeStream: Bool { text.prefix { $0 != "?" }.hasSuffix("/sse") }
}
