import DBDriver
import MCP
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("update_service with a new endpoint")
struct MovedServiceTests {
    private static let unauthorized = "User is not authorized to use this service. Authorize please."
    private static let moved = #"{"service_name":"bank","endpoint":"http://new.example/mcp"}"#

    private static func question(_ user: String, _ service: String = "bank") -> String {
        #"{"service_name":"\#(service)","user_id":"\#(user)"}"#
    }

    private static func storeDiscoveryCredential(_ server: TestServer) async throws {
        try await server.expect(
            "/discovery_credential",
            #"{"service_name":"bank","method_authorization":"Bearer","token":"canary"}"#,
            answers: #"{"status":"discovery credential stored"}"#
        )
    }

    @Test("all credentials of the service are removed, and it says how many", arguments: Engine.available)
    func credentials(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("bank", method: "Bearer")
            try await server.addService("shop", method: "Basic")
            for user in ["u1", "u2"] { try await server.authorize(user, "bank", "t-\(user)") }
            try await server.authorize("u1", "shop", "t-shop")
            try await Self.storeDiscoveryCredential(server)
            try await server.refresh("bank")
            try await server.expect(
                "update_service",
                Self.moved,
                says:
                    "Service with name='bank' updated; 2 users' tokens were removed, because they were given for the "
                    + "old endpoint: the users have to authorize again; the discovery credential was removed too: "
                    + "store a new one"
            )
            for user in ["u1", "u2"] {
                try await server.expect("/token", Self.question(user), refuses: 401, Self.unauthorized)
            }
            try await server.expect(
                "/token",
                Self.question("u1", "shop"),
                answers: #"{"token":"t-shop","method_authorization":"Basic"}"#
            )
            try await server.refresh("bank")
            #expect(
                server.discovery.credentials == [nil, nil, "Bearer canary", nil, nil],
                "the new address is never told the old one's credential"
            )
            try await server.authorize("u1", "bank", "t-new")
            try await server.expect(
                "/token",
                Self.question("u1"),
                answers: #"{"token":"t-new","method_authorization":"Bearer"}"#
            )
        }
    }

    @Test("the same endpoint again removes nothing, and is not read", arguments: Engine.available)
    func sameEndpoint(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("bank", method: "Bearer")
            try await server.authorize("u1", "bank", "t")
            try await server.expect(
                "update_service",
                #"{"service_name":"bank","endpoint":"http://bank.example/mcp","description":"D"}"#,
                says: "Service with name='bank' updated"
            )
            try await server.expect(
                "/token",
                Self.question("u1"),
                answers: #"{"token":"t","method_authorization":"Bearer"}"#
            )
            #expect(server.discovery.credentials.count == 1)
        }
    }

    @Test("a taken endpoint is refused before it is asked", arguments: Engine.available)
    func taken(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("bank", method: "Bearer")
            try await server.addService("shop")
            try await server.authorize("u1", "bank", "t")
            let before = try await server.value("list_services")
            try await server.expect(
                "update_service",
                #"{"service_name":"bank","endpoint":"http://shop.example/mcp","description":"D"}"#,
                fails: "Endpoint 'http://shop.example/mcp' is already registered by another service"
            )
            #expect(try await server.value("list_services") == before)
            #expect(server.discovery.credentials.count == 2)
            #expect(try await server.send("POST", "/token", Self.question("u1")).status == 200)
        }
    }

    @Test("an endpoint that can't be read changes nothing at all", arguments: Engine.available)
    func unreadable(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let ids = try await server.addService("bank", method: "Bearer")
            try await server.addRole("r1", for: ids)
            try await server.authorize("u1", "bank", "t")
            try await Self.storeDiscoveryCredential(server)
            server.discovery.offer(.failure(.failed("it sulks")), at: "http://new.example/mcp")
            let (hooks, before) = (server.hook.count, try await server.resource("registry://services/bank"))
            try await server.expect(
                "update_service",
                #"{"service_name":"bank","endpoint":"http://new.example/mcp","description":"D","requires_authorization":false}"#,
                fails: "Failed to fetch tools from http://new.example/mcp: it sulks"
            )
            #expect(try await server.resource("registry://services/bank") == before)
            #expect(server.hook.count == hooks)
            try await server.expect(
                "/token",
                Self.question("u1"),
                answers: #"{"token":"t","method_authorization":"Bearer"}"#
            )
            try await server.refresh("bank")
            #expect(server.discovery.credentials == [nil, nil, "Bearer canary"])
            let audited = try await server.database.read { session in
                try session.rows("SELECT action FROM audit_log").map { try $0.get("action", as: String.self) }
            }
            #expect(!audited.contains("service.update") && !audited.contains("service.failed"))
        }
    }

    @Test("where even listing wants a credential, the service moves and keeps its tools", arguments: Engine.available)
    func authorizationRequired(_ engine: Engine) async throws {
        let reason = "the service requires authorization, store a discovery credential for it"
        try await TestServer.run(engine) { server in
            let ids = try await server.addService("bank", method: "Bearer")
            try await server.addRole("r1", for: ids)
            for user in ["u1", "u2", "u3"] { try await server.authorize(user, "bank", "t") }
            server.discovery.offer(.failure(.authorizationRequired(scheme: nil)), at: "http://new.example/mcp")
            try await server.expect(
                "update_service",
                Self.moved,
                says:
                    "Service with name='bank' updated; 3 users' tokens were removed, because they were given for the "
                    + "old endpoint: the users have to authorize again; its tools can't be read yet: \(reason)"
            )
            let service = try await server.service("bank")
            #expect(service["endpoint"]?.string == "http://new.example/mcp")
            #expect(service["status"]?.string == "authorization_required")
            #expect(service["last_error"]?.string == reason)
            #expect(try await server.tools(of: "bank").compactMap { $0["id"]?.integer } == ids)
            #expect(try await server.toolNames(for: "r1") == ["add", "price"])
            try await server.expect("/token", Self.question("u1"), refuses: 401, Self.unauthorized)
        }
    }

    @Test("tools with the same names keep ids and roles, there and back again", arguments: Engine.available)
    func identity(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let ids = try await server.addService("bank")
            try await server.addRole("r1", for: ids)
            let offer = [StubDiscovery.tool("new", "New."), StubDiscovery.tool("price", "Costs.")]
            server.discovery.offer(.success(Discovery(tools: offer)), at: "http://new.example/mcp")
            try await server.expect("update_service", Self.moved, says: "Service with name='bank' updated")
            let tools = try await server.tools(of: "bank")
            #expect(tools.map { $0["name"]?.string } == ["new", "price"])
            #expect(tools[1]["id"]?.integer == ids[1] && tools[1]["roles"] == ["r1"])
            #expect(tools[1]["definition_changed"]?.bool == true, "the new address tells something else")
            #expect(tools[0]["roles"] == [] && tools[0]["definition_changed"] == nil)
            #expect(try await server.toolNames(for: "r1") == ["price"])
            try await server.done(
                "update_service",
                #"{"service_name":"bank","endpoint":"http://bank.example/mcp"}"#
            )
            try await server.expect(
                "get_tools",
                #"{"service_name":"bank"}"#,
                lists: #"[{"id":\#(ids[0]),"name":"add","description":"Adds.","roles":["r1"]},"#
                    + #"{"id":\#(ids[1]),"name":"price","description":"","roles":["r1"]}]"#
            )
        }
    }

    @Test("what a new endpoint tells differently is quarantined like any change", arguments: Engine.available)
    func quarantine(_ engine: Engine) async throws {
        var options = TestServer.Options()
        options.policy.toolChanges = .quarantine
        try await TestServer.run(engine, options) { server in
            try await server.addRole("r1", for: try await server.addService("bank"))
            let offer = [
                StubDiscovery.tool("add", "Adds."), StubDiscovery.tool("price", "Sesame."),
                StubDiscovery.tool("new", "Sesame."),
            ]
            server.discovery.offer(.success(Discovery(tools: offer)), at: "http://new.example/mcp")
            try await server.done("update_service", Self.moved)
            #expect(try await server.toolNames(for: "r1") == ["add"])
            #expect(try await server.found("sesame") == [])
            #expect(try await server.changes().map { $0["change"]?.string } == ["changed", "new"])
        }
    }
}
