internal import HTTPTypes
internal import HummingbirdCore

/// The proxies whose word about their clients counts. Everybody else could put anything into these headers.
struct TrustedProxies: Sendable {
    /// Where a request comes from.
    struct Origin: Sendable, Equatable {
        /// The client's address.
        var address: String
        /// Whether the client came over TLS.
        var isSecure: Bool
    }

    private static let forwardedFor = HTTPField.Name("X-Forwarded-For")
    private static let forwardedProto = HTTPField.Name("X-Forwarded-Proto")

    /// Where they are; none for no proxy.
    var networks: [IPNetwork] = []

    /// Where a request comes from: the peer, or what trusted proxies say of it. Each proxy adds the address it was called from
    /// at the end of `X-Forwarded-For`, so the client is the last one that is no trusted proxy itself.
    ///
    /// - Parameters:
    ///   - headers: the request's.
    ///   - peer: the address at the other end of the connection.
    ///   - isSecure: whether that connection is TLS.
    /// - Returns: the client.
    func origin(of headers: HTTPFields, peer: String, isSecure: Bool) -> Origin {
        var origin = Origin(address: peer, isSecure: isSecure)
        guard isTrusted(peer) else { return origin }
        if let name = Self.forwardedProto, let proto = headers[name] {
            // Of several values the last one was added by the nearest proxy.
            origin.isSecure = proto.split(separator: ",").last?.trimmed == "https"
        }
        guard let name = Self.forwardedFor else { return origin }
        let hops = headers[values: name].flatMap { $0.split(separator: ",").map(\.trimmed) }
        for hop in hops.reversed() {
            guard IPAddress(hop) != nil else { break }
            origin.address = hop
            guard isTrusted(hop) else { break }
        }
        return origin
    }

    private func isTrusted(_ address: String) -> Bool {
        guard !networks.isEmpty, let address = IPAddress(address) else { return false }
        // A server that listens on both families sees IPv4 peers as ::ffff:10.0.0.7 (RFC 4291 §2.5.5.2).
        let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
        let plain =
            address.bytes.starts(with: mapped) && !address.isIPv4 ? IPAddress(bytes: address.bytes.suffix(4)) : address
        return networks.contains { $0.contains(plain ?? address) }
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var rest = self
        while rest.first == " " || rest.first == "\t" { rest.removeFirst() }
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return String(rest)
    }
}
