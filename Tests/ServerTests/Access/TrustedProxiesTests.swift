import HTTPTypes
import Testing

@testable import Server

@Suite("Trusted proxies")
struct TrustedProxiesTests {
    private static let proxies = TrustedProxies(networks: ["10.0.0.0/8", "::1"].compactMap { IPNetwork($0) })

    @Test(
        "the client is the last address in X-Forwarded-For that is no trusted proxy, and only a trusted peer may say so",
        arguments: [
            ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
            ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3", ["6.6.6.6, 198.51.100.1, 10.0.0.5"], "198.51.100.1"),
            ("10.1.2.3", ["6.6.6.6", "198.51.100.1 ,10.0.0.5"], "198.51.100.1"),
            ("::1", ["2001:db8::7"], "2001:db8::7"), ("::ffff:10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3", ["198.51.100.1, nonsense"], "10.1.2.3"),
            ("10.1.2.3", ["6.6.6.6, nonsense, 10.0.0.5"], "10.0.0.5"),
            ("10.1.2.3", ["10.0.0.5, 10.0.0.6"], "10.0.0.5"),
            ("10.1.2.3", [""], "10.1.2.3"), ("10.1.2.3", [], "10.1.2.3"), ("", ["198.51.100.1"], ""),
        ] as [(String, [String], String)]
    )
    func client(peer: String, forwarded: [String], expected: String) throws {
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        var headers = HTTPFields()
        for value in forwarded { headers.append(HTTPField(name: name, value: value)) }
        #expect(Self.proxies.origin(of: headers, peer: peer, isSecure: false).address == expected)
        #expect(TrustedProxies().origin(of: headers, peer: peer, isSecure: false).address == peer)
    }

    @Test("whether the client came over TLS is told by the nearest trusted proxy, or by the connection itself")
    func security() throws {
        let name = try #require(HTTPField.Name("X-Forwarded-Proto"))
        func isSecure(_ value: String, from peer: String, overTLS: Bool = false) -> Bool {
            Self.proxies.origin(of: [name: value], peer: peer, isSecure: overTLS).isSecure
        }
        #expect(isSecure("https", from: "10.0.0.1"))
        #expect(isSecure("http, https", from: "10.0.0.1"))
        #expect(!isSecure("https, http", from: "10.0.0.1"))
        #expect(!isSecure("https", from: "203.0.113.9"))
        #expect(isSecure("http", from: "203.0.113.9", overTLS: true))
        #expect(!isSecure("http", from: "10.0.0.1", overTLS: true))
    }
}
