import HTTPTypes
import TestSupport
import Testing

@testable import Server

@Suite("Web pages of other origins")
struct CrossOriginTests {
    private static let page = "https://admin.example"
    private static let listed = TestServer.Options(
        adminToken: Deployment.adminToken,
        origins: OriginPolicy(hosts: nil, origins: [page]),
        crossOrigin: CrossOrigin(origins: [page])
    )
    private static let headers = [
        "Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers",
        "Access-Control-Max-Age", "Access-Control-Expose-Headers", "Access-Control-Allow-Credentials",
    ]

    private static func preflight(from origin: String) throws -> HTTPFields {
        var fields: HTTPFields = [.origin: origin]
        fields[try #require(HTTPField.Name("Access-Control-Request-Method"))] = "POST"
        return fields
    }

    @Test("a page of a listed origin may ask before it sends, without a credential, and read the answer")
    func listedOrigin() async throws {
        try await TestServer.run(.sqlite, Self.listed) { server in
            let asked = try await server.send(
                "OPTIONS",
                "/token",
                bytes: nil,
                headers: try Self.preflight(from: Self.page),
                host: "localhost"
            )
            #expect(asked.status == 204)
            #expect(asked.header("Access-Control-Allow-Origin") == Self.page)
            #expect(asked.header("Access-Control-Allow-Methods") == "GET, POST")
            #expect(asked.header("Access-Control-Allow-Headers")?.contains("Authorization") == true)
            #expect(asked.header("Access-Control-Allow-Credentials") == nil)
            let refused = try await server.send(
                "GET",
                "/list_services",
                bytes: nil,
                headers: [.origin: Self.page],
                host: "localhost"
            )
            #expect(refused.status == 401 && refused.header("Access-Control-Allow-Origin") == Self.page)
            #expect(refused.header("Access-Control-Expose-Headers")?.contains("WWW-Authenticate") == true)
            #expect(refused.header("Vary") == "Origin")
        }
    }

    @Test("any other origin is refused, and told nothing about who may", arguments: [listed, TestServer.Options()])
    func others(_ options: TestServer.Options) async throws {
        try await TestServer.run(.sqlite, options) { server in
            for origin in ["https://evil.example", "null", "https://admin.example.evil.example"] {
                for method in ["OPTIONS", "POST"] {
                    let answer = try await server.send(
                        method,
                        "/token",
                        bytes: nil,
                        headers: try Self.preflight(from: origin),
                        host: "localhost"
                    )
                    #expect(answer.status == 403)
                    for header in Self.headers { #expect(answer.header(header) == nil, "\(header)") }
                }
            }
        }
    }

    @Test("without a list no answer speaks of other origins")
    func without() async throws {
        try await TestServer.run(.sqlite) { server in
            for (method, path) in [("GET", "/list_services"), ("OPTIONS", "/token"), ("GET", "/health")] {
                let answer = try await server.send(method, path)
                #expect(answer.status != 204)
                for header in Self.headers + ["Vary"] { #expect(answer.header(header) == nil, "\(header)") }
            }
        }
    }

    @Test("HSTS is sent to clients that came over TLS, and to no other")
    func strictTransportSecurity() async throws {
        let proto = try #require(HTTPField.Name("X-Forwarded-Proto"))
        let loopback = ["127.0.0.1", "::1"].compactMap { IPNetwork($0) }
        let proxied = TestServer.Options(edge: Edge(proxies: TrustedProxies(networks: loopback)))
        for (options, value, expected) in [
            (proxied, "https", true), (proxied, "http", false), (.init(), "https", false),
        ] {
            try await TestServer.run(.sqlite, options) { server in
                for path in ["/list_services", "/health", "/none"] {
                    let answer = try await server.send(
                        "GET",
                        path,
                        bytes: nil,
                        headers: [proto: value],
                        host: "localhost"
                    )
                    #expect((answer.header("Strict-Transport-Security") == "max-age=31536000") == expected)
                }
            }
        }
    }

    @Test("a request keeps the id that it brings, if it is a plain one, and gets one otherwise")
    func requestID() async throws {
        let name = try #require(HTTPField.Name("X-Request-Id"))
        try await TestServer.run(.sqlite) { server in
            for (sent, isKept) in [
                ("a-B_9.z", true), (String(repeating: "x", count: 65), false), ("a b", false), ("é", false),
            ] {
                let answer = try await server.send(
                    "GET",
                    "/health",
                    bytes: nil,
                    headers: [name: sent],
                    host: "localhost"
                )
                let id = try #require(answer.header("X-Request-Id"))
                #expect((id == sent) == isKept && id.utf8.count <= 64)
            }
            var twice: HTTPFields = [name: "a"]
            twice.append(HTTPField(name: name, value: "b"))
            let answer = try await server.send("GET", "/list_services", bytes: nil, headers: twice, host: "localhost")
            answer.expectProblem(400, "X-Request-Id is given twice")
        }
    }
}
