import HTTPTypes
import TestSupport
import Testing

@testable import Server

@Suite("Lists of hosts and origins")
struct AllowListTests {
    private static let host = "this Host is not served here"
    private static let origin = "this Origin may not call the registry"

    /// A server with the lists of the settings.
    private static func options(
        address: String,
        hosts: String = "",
        origins: String = ""
    ) async throws -> TestServer.Options {
        let settings = try await ConfigurationSource.settings([
            "MCP_HOST": address, "ALLOWED_HOSTS": hosts, "ALLOWED_ORIGINS": origins,
        ]).server(isDevelopment: false)
        let policy = OriginPolicy(
            address: address.contains(":") ? "[\(address)]" : address,
            isLocal: OriginPolicy.isLoopback(address),
            hosts: settings.allowedHosts,
            origins: settings.allowedOrigins
        )
        return TestServer.Options(origins: policy)
    }

    private static func ask(
        _ server: some HTTPCaller,
        host: String,
        origin: String? = nil,
        path: String = "/list_users"
    ) async throws -> Answer {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let origin { headers[.origin] = origin }
        let method = path == "/mcp" ? "POST" : "GET"
        let body = path == "/mcp" ? #"{"jsonrpc":"2.0","id":1,"method":"ping"}"# : nil
        return try await server.send(method, path, body, headers: headers, host: host)
    }

    private static func expect(
        _ server: some HTTPCaller,
        served: [String],
        refused: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for path in ["/list_users", "/mcp"] {
            for host in served {
                let answer = try await ask(server, host: host, path: path)
                #expect(answer.status == 200, "\(host)", sourceLocation: sourceLocation)
            }
            for host in refused {
                let answer = try await ask(server, host: host, path: path)
                answer.expectRefusal(at: path, 403, Self.host, sourceLocation: sourceLocation)
            }
        }
        for host in refused {
            let probe = try await ask(server, host: host, path: "/ready")
            #expect(probe.status == 200, "\(host)", sourceLocation: sourceLocation)
        }
    }

    @Test("a listed host is served in any case and at any port, and no other is")
    func hosts() async throws {
        let hosts = "registry.example, Zweite.Example ,10.0.0.1,[2001:db8::1],,"
        try await TestServer.run(.sqlite, try await Self.options(address: "0.0.0.0", hosts: hosts)) { server in
            try await Self.expect(
                server,
                served: [
                    "registry.example", "REGISTRY.example:8443", "zweite.example", "ZWEITE.EXAMPLE:1", "10.0.0.1",
                    "10.0.0.1:8000", "[2001:db8::1]", "[2001:DB8::1]:8000",
                ],
                refused: [
                    "localhost", "127.0.0.1", "0.0.0.0", "[::1]", "www.registry.example",
                    "registry.example.evil.example",
                    "registry.exampl", "example", "[2001:db8::2]", "10.0.0.10", "registry.example:x",
                    "registry.example:99999",
                ]
            )
        }
    }

    @Test("on loopback a list adds to the machine's own names")
    func loopback() async throws {
        for (address, own) in [("127.0.0.1", "127.0.0.1"), ("127.0.0.5", "127.0.0.5"), ("::1", "[::1]")] {
            let options = try await Self.options(address: address, hosts: "tunnel.example")
            try await TestServer.run(.sqlite, options) { server in
                try await Self.expect(
                    server,
                    served: ["tunnel.example", "Tunnel.Example:443", "localhost:8000", "127.0.0.1", "[::1]:1", own],
                    refused: ["evil.example", "127.0.0.9", "tunnel.example.evil.example"]
                )
            }
        }
    }

    @Test("a listed origin and the own one may call, and no other")
    func origins() async throws {
        let options = try await Self.options(
            address: "0.0.0.0",
            hosts: "registry.example,[2001:db8::1]",
            origins: "https://Admin.Example, http://localhost:3000,https://[2001:db8::5]:8443"
        )
        try await TestServer.run(.sqlite, options) { server in
            for path in ["/list_users", "/mcp"] {
                for (host, origin) in [
                    ("registry.example", "https://admin.example"), ("registry.example", "HTTPS://ADMIN.EXAMPLE"),
                    ("registry.example", "http://localhost:3000"), ("registry.example", "https://[2001:db8::5]:8443"),
                    ("registry.example", "https://registry.example"),
                    ("registry.example:80", "http://registry.example:80"),
                    ("[2001:db8::1]:9", "http://[2001:DB8::1]:9"),
                ] {
                    let answer = try await Self.ask(server, host: host, origin: origin, path: path)
                    #expect(answer.status == 200, "\(host) \(origin)")
                }
                for (host, origin) in [
                    ("registry.example", "http://admin.example"), ("registry.example", "https://admin.example:8443"),
                    ("registry.example", "https://admin.example/"), ("registry.example", "http://localhost:3001"),
                    ("registry.example", "http://localhost"), ("registry.example", "null"),
                    ("registry.example", "https://x.admin.example"),
                    ("registry.example:80", "http://registry.example:81"),
                    ("registry.example", "https://[2001:db8::1]"), ("registry.example", "https://[2001:db8::5]"),
                ] {
                    let answer = try await Self.ask(server, host: host, origin: origin, path: path)
                    answer.expectRefusal(at: path, 403, Self.origin)
                }
            }
            let both = try await Self.ask(server, host: "evil.example", origin: "https://admin.example")
            both.expectProblem(403, Self.host)
        }
    }

    @Test("without lists a server for others serves any host, and no origin but loopback's")
    func none() async throws {
        try await TestServer.run(.sqlite, try await Self.options(address: "0.0.0.0")) { server in
            for (host, origin, status) in [
                ("any.example", nil, 200), ("any.example:1", "http://any.example:1", 403),
                ("any.example", "https://admin.example", 403), ("127.0.0.1:1", "http://127.0.0.1:1", 200),
            ] as [(String, String?, Int)] {
                let answer = try await Self.ask(server, host: host, origin: origin)
                #expect(answer.status == status)
            }
        }
    }

    @Test("the program keeps to the lists in its settings", .timeLimit(.minutes(10)))
    func program() async throws {
        try await Deployment.with(.sqlite) { deployment in
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            for (address, own) in [("127.0.0.1", 200), ("0.0.0.0", 403)] {
                let lists = [
                    "MCP_HOST": address, "ALLOWED_HOSTS": "registry.example,[2001:db8::1]",
                    "ALLOWED_ORIGINS": "https://admin.example",
                ]
                try await deployment.serve(settings: lists) { _, server in
                    for (host, origin, status) in [
                        ("registry.example", nil, 200), ("[2001:db8::1]:8000", nil, 200), ("evil.example", nil, 403),
                        ("localhost:8000", nil, own), ("127.0.0.1", nil, own),
                        ("registry.example", "https://admin.example", 200),
                        ("registry.example", "http://registry.example", 200),
                        ("registry.example", "https://evil.example", 403),
                    ] as [(String, String?, Int)] {
                        for path in ["/list_users", "/mcp"] {
                            let answer = try await Self.ask(server, host: host, origin: origin, path: path)
                            #expect(answer.status == status, "\(address): \(host) \(origin ?? "") \(path)")
                        }
                    }
                }
            }
        }
    }
}
