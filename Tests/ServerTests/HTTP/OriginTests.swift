import HTTPTypes
import TestSupport
import Testing

@testable import Server

@Suite("Host and Origin")
struct OriginTests {
    private static let local = TestServer.Options(origins: OriginPolicy(hosts: OriginPolicy.loopbackHosts))

    @Test("a server on loopback answers to loopback names only", arguments: Engine.available)
    func hosts(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.local) { server in
            for host in [
                "localhost", "localhost:8000", "LocalHost:1", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000",
            ] {
                #expect(try await server.send("GET", "/list_users", host: host).status == 200, "\(host)")
            }
            let foreign = [
                "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:8000",
                "[::2]:8000",
                "localhost.", "127.0.0.2",
            ]
            for host in foreign {
                for (method, path) in [("GET", "/list_users"), ("POST", "/mcp"), ("GET", "/mcp")] {
                    let answer = try await server.send(method, path, host: host)
                    answer.expectRefusal(at: path, 403, "this Host is not served here")
                }
                #expect(try await server.send("GET", "/health", host: host).status == 200)
            }
        }
    }

    @Test("a missing Host and one with blanks are malformed, whatever hosts are served", arguments: Engine.available)
    func malformedHost(_ engine: Engine) async throws {
        for options in [Self.local, TestServer.Options()] {
            try await TestServer.run(engine, options) { server in
                for (host, detail) in [(nil, "Host is missing"), ("local host", "Host must not contain blanks")] {
                    for (method, path) in [("GET", "/list_users"), ("POST", "/mcp")] {
                        try await server.send(method, path, host: host).expectRefusal(at: path, 400, detail)
                    }
                    #expect(try await server.send("GET", "/health", host: host).status == 200)
                }
            }
        }
    }

    @Test(
        "the host of a target in absolute form is what stands between the scheme and the path",
        arguments: [
            ("http://localhost/mcp", "localhost"), ("http://LOCALHOST:80?x=http://a/", "LOCALHOST:80"),
            ("https://[::1]:8000/mcp", "[::1]:8000"), ("http://localhost@evil.example/mcp", "localhost@evil.example"),
            ("http:///mcp", ""), ("://", ""), ("x/://evil.example/mcp", "evil.example"),
            ("http://evil.example", "evil.example"),
            ("/mcp?see=http://evil.example/", nil), ("//evil.example/mcp", nil), ("*", nil), ("", nil),
        ] as [(String, String?)]
    )
    func absoluteForm(target: String, host: String?) {
        #expect(RequestHeads.host(in: target) == host)
    }

    @Test("a second Host is refused, even the same one", arguments: Engine.available)
    func twoHosts(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.local) { server in
            let name = try #require(HTTPField.Name("Host"))
            for host in ["localhost", "evil.example"] {
                let answer = try await server.send("GET", "/list_users", headers: [name: host], host: "localhost")
                answer.expectProblem(400, "Host is given twice")
            }
        }
    }

    @Test("a server for others answers to any name", arguments: Engine.available)
    func anyHost(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for host in ["registry.example", "10.0.0.1:8000"] {
                let answer = try await server.send("GET", "/list_users", host: host)
                #expect(answer.status == 200, "\(host)")
            }
        }
    }

    @Test("a foreign Origin is refused, one's own and an allowed one are not", arguments: Engine.available)
    func origins(_ engine: Engine) async throws {
        var options = Self.local
        options.origins = OriginPolicy(hosts: OriginPolicy.loopbackHosts, origins: ["https://admin.example"])
        try await TestServer.run(engine, options) { server in
            let path = "/list_users"
            for origin in ["http://localhost:80", "https://LOCALHOST:80", "https://admin.example"] {
                let answer = try await Self.ask(server, path, [origin])
                #expect(answer.status == 200, "\(origin)")
            }
            let foreign = [
                ["null"], [""], ["http://localhost"], ["http://localhost:81"], ["https://evil.example"],
                ["http://admin.example"], ["https://admin.example.evil.example"], ["file://"],
                ["https://admin.example", "https://evil.example"],
            ]
            for origins in foreign {
                for path in [path, "/mcp"] {
                    let answer = try await Self.ask(server, path, origins)
                    answer.expectRefusal(at: path, 403, "this Origin may not call the registry")
                }
            }
            let probe = try await Self.ask(server, "/health", ["https://evil.example"])
            #expect(probe.status == 200)
        }
    }

    private static func ask(_ server: TestServer, _ path: String, _ origins: [String]) async throws -> Answer {
        var headers: HTTPFields = [.contentType: "application/json"]
        headers[values: try #require(HTTPField.Name("Origin"))] = origins
        return try await server.send("GET", path, headers: headers, host: "localhost:80")
    }

    @Test("a foreign page is turned away before its credential is looked at", arguments: Engine.available)
    func order(_ engine: Engine) async throws {
        try await TestServer.run(engine, TestServer.Options(adminToken: "correct-horse-battery-staple")) { server in
            let answer = try await Self.ask(server, "/list_users", ["https://evil.example"])
            answer.expectProblem(403, "this Origin may not call the registry")
        }
    }
}
