import MCP
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("update_service")
struct UpdateServiceTests {
    private static func arguments(_ members: String) -> String { #"{"service_name":"pizza",\#(members)}"# }

    /// What the catalogue says about the service, without its tools and the time of its reading.
    private static func service(_ server: TestServer) async throws -> String {
        var entry = try #require(try await server.resource("registry://services/pizza").object)
        (entry["tools"], entry["last_seen"]) = (nil, nil)
        return JSONValue.object(entry).text
    }

    private static func entry(
        endpoint: String = "http://pizza.example/mcp",
        description: String = "About pizza.",
        method: String? = "Basic"
    ) -> String {
        #"{"name":"pizza","endpoint":"\#(endpoint)","transport":"streamable_http","description":"\#(description)","#
            + #""requires_authorization":\#(method != nil)"#
            + (method.map { #","method_authorization":"\#($0)""# } ?? "") + #","status":"active"}"#
    }

    @Test("each part can be changed alone, and the others stay", arguments: Engine.available)
    func alone(_ engine: Engine) async throws {
        let steps = [
            (#""description":"Neu, 🍕""#, Self.entry(description: "Neu, 🍕")),
            (#""method_authorization":"Bearer""#, Self.entry(description: "Neu, 🍕", method: "Bearer")),
            (#""requires_authorization":true"#, Self.entry(description: "Neu, 🍕", method: "Bearer")),
            (
                #""endpoint":"http://new.example/mcp""#,
                Self.entry(
                    endpoint: "http://new.example/mcp",
                    description: "Neu, 🍕",
                    method: "Bearer"
                )
            ),
            (
                #""requires_authorization":false"#,
                Self.entry(
                    endpoint: "http://new.example/mcp",
                    description: "Neu, 🍕",
                    method: nil
                )
            ),
        ]
        try await TestServer.run(engine) { server in
            try await server.addService("pizza", method: "Basic")
            #expect(try await Self.service(server) == Self.entry())
            for (change, entry) in steps {
                let text = "Service with name='pizza' updated"
                for _ in 1...2 { try await server.expect("update_service", Self.arguments(change), says: text) }
                #expect(try await Self.service(server) == entry)
            }
            #expect(server.discovery.credentials.count == 2, "it is read when it is added, and when it moves")
        }
    }

    @Test("all parts can be changed together", arguments: Engine.available)
    func together(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            let hooks = server.hook.count
            try await server.expect(
                "update_service",
                Self.arguments(
                    #""endpoint":"http://h/mcp","description":"D","requires_authorization":true,"method_authorization":"Bearer""#
                ),
                says: "Service with name='pizza' updated"
            )
            #expect(
                try await Self.service(server)
                    == Self.entry(endpoint: "http://h/mcp", description: "D", method: "Bearer")
            )
            #expect(server.hook.count == hooks + 1)
            let unauthorized = "User is not authorized to use this service. Authorize please."
            try await server.expect("/token", #"{"service_name":"pizza","user_id":"u"}"#, refuses: 401, unauthorized)
        }
    }

    @Test("null is the same as left out, and something must be given", arguments: Engine.available)
    func nulls(_ engine: Engine) async throws {
        let nulls = #""endpoint":null,"requires_authorization":null,"method_authorization":null"#
        let nothing =
            "nothing to change: give endpoint, description, requires_authorization or method_authorization"
        try await TestServer.run(engine) { server in
            try await server.addService("pizza", method: "Basic")
            let hooks = server.hook.count
            for arguments in [#"{"service_name":"pizza"}"#, Self.arguments(nulls + #","description":null"#)] {
                try await server.expect("update_service", arguments, fails: nothing)
            }
            #expect(try await Self.service(server) == Self.entry())
            #expect(server.hook.count == hooks)
            try await server.done("update_service", Self.arguments(nulls + #","description":"D""#))
            #expect(try await Self.service(server) == Self.entry(description: "D"))
        }
    }

    @Test("what breaks a rule is refused with the rule, and changes nothing", arguments: Engine.available)
    func refusals(_ engine: Engine) async throws {
        let method = "method_authorization must be 'Basic' or 'Bearer' when authorization is required"
        let refusals = [
            (#""endpoint":"""#, "endpoint must not be empty"),
            (
                #""endpoint":"pizza.example""#,
                "endpoint must be a URL that begins with http:// or https://, such as https://pizza.example/mcp"
            ),
            (
                #""endpoint":"http://u:p@h/mcp""#,
                "endpoint must not hold a user name or password: store a credential instead"
            ),
            (
                #""description":"\#(String(repeating: "x", count: 16_385))""#,
                "Provided description length=16385 exceeds maximum 16384 characters"
            ),
            (#""requires_authorization":true"#, method),
            (#""requires_authorization":true,"method_authorization":"""#, method),
            (#""requires_authorization":true,"method_authorization":"bearer""#, method),
        ]
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            let hooks = server.hook.count
            for (change, reason) in refusals {
                let arguments = Self.arguments(#""description":"new","# + change)
                let isTwice = change.hasPrefix(#""description""#)
                try await server.expect("update_service", isTwice ? Self.arguments(change) : arguments, fails: reason)
            }
            #expect(try await Self.service(server) == Self.entry(method: nil))
            #expect(server.hook.count == hooks && server.discovery.credentials.count == 1)
        }
    }

    @Test("an unknown service and wrong types are refused", arguments: Engine.available)
    func unknown(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            for name in ["none", "Pizza"] {
                try await server.expect(
                    "update_service",
                    #"{"service_name":"\#(name)","endpoint":"http://h/mcp"}"#,
                    fails: "Service with name '\(name)' not found: list_services shows which services there are"
                )
            }
            for (arguments, reason) in [
                (#"{"description":"d"}"#, "'service_name' is a required property"),
                (#"{"service_name":null,"description":"d"}"#, "None is not of type 'string'"),
                (Self.arguments(#""requires_authorization":"true""#), "'true' is not of type 'boolean'"),
                (Self.arguments(#""endpoint":1"#), "1 is not of type 'string'"),
                (
                    Self.arguments(#""url":"http://h/mcp""#),
                    "Additional properties are not allowed ('url' was unexpected)"
                ),
            ] {
                // JSON's null is written in different ways.
                let answer = try await server.call("update_service", arguments)
                let text = try #require(try answer.json["result"]?["content"]?[0]?["text"]?.string)
                #expect(text.replacing("null", with: "None") == "Input validation error: \(reason)")
            }
            #expect(try await Self.service(server) == Self.entry(method: nil))
            #expect(server.discovery.credentials.count == 1)
        }
    }

    @Test("with an empty description the service is asked at its next reading", arguments: Engine.available)
    func askedLater(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            try await server.done("update_service", Self.arguments(#""description":"""#))
            try await server.refresh("pizza")
            #expect(try await server.service("pizza")["description"]?.string == "Reckons.")
            try await server.done("update_service", Self.arguments(#""description":"Mine.""#))
            try await server.refresh("pizza")
            #expect(try await server.service("pizza")["description"]?.string == "Mine.", "what was written stays")
        }
    }

    @Test(
        "with an empty description and a new endpoint the service is asked there at once",
        arguments: Engine.available
    )
    func askedAtOnce(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            server.discovery.offer(.success(Discovery(tools: [], serviceDescription: "Bakes.")), at: "http://b/mcp")
            server.discovery.offer(.success(Discovery(tools: [])), at: "http://silent/mcp")
            for (endpoint, description) in [
                ("http://b/mcp", "Bakes."),
                ("http://silent/mcp", "No description found, list tools to get more information"),
            ] {
                let change = #""endpoint":"\#(endpoint)","description":"""#
                try await server.done("update_service", Self.arguments(change))
                #expect(try await server.service("pizza")["description"]?.string == description)
            }
        }
    }
}
