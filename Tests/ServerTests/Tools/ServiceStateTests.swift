import DBDriver
import MCP
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("Services that can't be read")
struct ServiceStateTests {
    private static let question = #"{"service_name":"pizza"}"#
    private static let wanted = "the service requires authorization, store a discovery credential for it"

    private static func fail(_ server: TestServer, _ error: DiscoveryError, _ reason: String) async throws {
        server.discovery.offer(.failure(error), at: "http://pizza.example/mcp")
        try await server.expect(
            "refresh_service",
            question,
            fails: "Failed to fetch tools from http://pizza.example/mcp: \(reason)"
        )
    }

    @Test(
        "a service that fails says so with reason and time, and keeps its tools until it is back",
        arguments: Engine.available
    )
    func failing(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let ids = try await server.addService("pizza")
            try await server.addRole("r1", for: ids)
            let (tools, hooks) = (try await server.tools(of: "pizza"), server.hook.count)
            let entry = #"{"service_name":"pizza","endpoint":"http://pizza.example/mcp","description":"About pizza.""#
            try await server.expect("list_services", lists: "[\(entry)}]")
            for (error, status, reason) in [
                (.failed("it sulks"), "failing", "it sulks"), (.failed("it sleeps"), "failing", "it sleeps"),
                (.authorizationRequired(scheme: nil), "authorization_required", Self.wanted),
                (.failed("it sulks"), "failing", "it sulks"),
            ] as [(DiscoveryError, String, String)] {
                try await Self.fail(server, error, reason)
                let seen = try #require(try await server.service("pizza")["last_seen"]?.string)
                #expect(seen.wholeMatch(of: /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
                let state = #""status":"\#(status)","last_seen":"\#(seen)","last_error":"\#(reason)""#
                try await server.expect("list_services", lists: "[\(entry),\(state)}]")
                let resource = try await server.resource("registry://services/pizza")
                #expect(resource["status"]?.string == status && resource["last_error"]?.string == reason)
                #expect(resource["last_seen"]?.string == seen)
                #expect(try await server.tools(of: "pizza") == tools)
                #expect(try await server.toolNames(for: "r1") == ["add", "price"])
                try await server.expect("adds", role: "r1", finds: ["add"])
            }
            #expect(server.hook.count == hooks + 4, "each failure with another reason is news")
            server.discovery.offer(StubDiscovery.standard.tools)
            try await server.refresh("pizza")
            try await server.expect("list_services", lists: "[\(entry)}]")
            #expect(try await server.resource("registry://services/pizza")["last_error"] == nil)
            #expect(try await server.tools(of: "pizza") == tools)
        }
    }

    @Test("the same failure again is no news", arguments: Engine.available)
    func sameFailure(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            for _ in 1...3 { try await Self.fail(server, .failed("it sulks"), "it sulks") }
            #expect(server.hook.count == 2)
            let rows = try await server.database.read { session in
                try session.rows("SELECT actor, action, target FROM audit_log ORDER BY at").map {
                    [try $0.get("actor", as: String.self), try $0.get("action"), try $0.get("target")]
                }
            }
            #expect(
                rows == [
                    ["anonymous", "service.add", "service 'pizza'"],
                    ["anonymous", "service.failed", "service 'pizza'"],
                ]
            )
        }
    }

    @Test("a reason is kept to its first 1024 characters", arguments: Engine.available)
    func longReason(_ engine: Engine) async throws {
        let reason = String(repeating: "🍕", count: 1_100)
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            try await Self.fail(server, .failed(reason), reason)
            #expect(try await server.service("pizza")["last_error"]?.string == String(reason.prefix(1_024)))
        }
    }

    @Test("a discovery credential lets a service be read that wants one", arguments: Engine.available)
    func credential(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            try await Self.fail(server, .authorizationRequired(scheme: nil), Self.wanted)
            #expect(try await server.service("pizza")["status"]?.string == "authorization_required")
            try await server.expect(
                "/discovery_credential",
                #"{"service_name":"pizza","method_authorization":"Basic","token":"dTpw"}"#,
                answers: #"{"status":"discovery credential stored"}"#
            )
            let refused = "the service refused the stored discovery credential"
            try await Self.fail(server, .authorizationRequired(scheme: "Bearer"), "\(refused) (it wants Bearer)")
            try await Self.fail(server, .authorizationRequired(scheme: nil), refused)
            #expect(try await server.service("pizza")["last_error"]?.string == refused)
            server.discovery.offer(StubDiscovery.standard.tools)
            try await server.refresh("pizza")
            #expect(server.discovery.credentials == [nil, nil, "Basic dTpw", "Basic dTpw", "Basic dTpw"])
            #expect(try await server.service("pizza")["status"] == nil)
        }
    }
}
