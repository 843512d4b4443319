import MCP
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("Tools about services")
struct ServiceToolsTests {
    /// The arguments of `add_service`.
    private static func service(
        _ name: String,
        at endpoint: String = "http://pizza.example/mcp",
        description: String = "",
        authorization: String = "false",
        method: String? = nil
    ) -> String {
        let method = method.map { #","method_authorization":"\#($0)""# } ?? ""
        return """
            {"service_name":"\(name)","endpoint":"\(endpoint)","description":"\(description)",\
            "requires_authorization":\(authorization)\(method)}
            """
    }

    @Test("add_service, list_services, get_tools and remove_service", arguments: Engine.available)
    func lifecycle(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.expect("list_services", lists: "[]")
            try await server.expect("add_service", Self.service("pizza"), says: "Create service with name='pizza'")
            try await server.expect(
                "add_service",
                Self.service("Bank", at: "https://bank.example/mcp?x=1", description: "Geld, 💶"),
                says: "Create service with name='Bank'"
            )
            try await server.expect(
                "list_services",
                lists: #"[{"service_name":"pizza","endpoint":"http://pizza.example/mcp","description":"Reckons."},"#
                    + #"{"service_name":"Bank","endpoint":"https://bank.example/mcp?x=1","description":"Geld, 💶"}]"#
            )
            let id = try #require(try await server.tools(of: "pizza")[0]["id"]?.integer)
            try await server.expect(
                "get_tools",
                #"{"service_name":"pizza"}"#,
                lists: #"[{"id":\#(id),"name":"add","description":"Adds.","roles":[]},"#
                    + #"{"id":\#(id + 1),"name":"price","description":"","roles":[]}]"#
            )
            for name in ["none", "bank", "Pizza"] {
                try await server.expect("get_tools", #"{"service_name":"\#(name)"}"#, lists: "[]")
                try await server.expect(
                    "remove_service",
                    #"{"service_name":"\#(name)"}"#,
                    fails: "Service with name '\(name)' not found: list_services shows which services there are"
                )
            }
            try await server.expect(
                "remove_service",
                #"{"service_name":"pizza"}"#,
                says: "Service with name='pizza' removed"
            )
            try await server.expect("get_tools", #"{"service_name":"pizza"}"#, lists: "[]")
            #expect(server.hook.count == 3, "one for each change and none for what failed")
        }
    }

    @Test("a taken name or endpoint is refused before the service is asked", arguments: Engine.available)
    func taken(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.done("add_service", Self.service("pizza"))
            try await server.expect(
                "add_service",
                Self.service("pizza", at: "http://other.example/mcp"),
                fails:
                    "Service with name 'pizza' already exists: list_services shows which names and endpoints are taken"
            )
            try await server.expect(
                "add_service",
                Self.service("other"),
                fails: "Endpoint 'http://pizza.example/mcp' is already registered by another service"
                    + ": list_services shows which names and endpoints are taken"
            )
            #expect(server.discovery.credentials.count == 1)
        }
    }

    @Test("what fails in discovery is said, and nothing is stored", arguments: Engine.available)
    func failedDiscovery(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let reason = "Failed to fetch tools from http://pizza.example/mcp: it sulks"
            server.discovery.offer(.failure(.failed("it sulks")), at: "http://pizza.example/mcp")
            try await server.expect("add_service", Self.service("pizza"), fails: reason)
            try await server.expect("list_services", lists: "[]")
            #expect(server.hook.count == 0)
        }
    }

    @Test("a service without tools or description gets the fallback text", arguments: Engine.available)
    func fallback(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            server.discovery.offer(.success(Discovery(tools: [])), at: "http://pizza.example/mcp")
            try await server.done("add_service", Self.service("pizza"))
            try await server.done("add_service", Self.service("blank", at: "http://b/mcp", description: "   "))
            try await server.expect(
                "list_services",
                lists: #"[{"service_name":"pizza","endpoint":"http://pizza.example/mcp","#
                    + #""description":"No description found, list tools to get more information"},"#
                    + #"{"service_name":"blank","endpoint":"http://b/mcp","description":"   "}]"#
            )
            try await server.expect("get_tools", #"{"service_name":"pizza"}"#, lists: "[]")
        }
    }

    @Test("a service that wants a credential even for listing is registered and marked", arguments: Engine.available)
    func authorizationRequired(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            server.discovery.offer(.failure(.authorizationRequired(scheme: "Basic")), at: "http://pizza.example/mcp")
            try await server.done("add_service", Self.service("pizza", description: "d"))
            let entry = #"{"service_name":"pizza","endpoint":"http://pizza.example/mcp","description":"d""#
            let state =
                #""status":"authorization_required","last_error":"the service requires authorization (Basic), "#
                + #"store a discovery credential for it""#
            try await server.expect("list_services", lists: "[\(entry),\(state)}]")
            try await server.expect(
                "refresh_service",
                #"{"service_name":"pizza"}"#,
                fails:
                    "Failed to fetch tools from http://pizza.example/mcp: the service requires authorization (Basic), "
                    + "store a discovery credential for it"
            )
            server.discovery.offer(.success(StubDiscovery.standard), at: "http://pizza.example/mcp")
            try await server.expect(
                "refresh_service",
                #"{"service_name":"pizza"}"#,
                says: "Service with name='pizza' has 2 tools now"
            )
            try await server.expect("list_services", lists: "[\(entry)}]")
        }
    }

    @Test("refresh_service keeps ids and roles of the tools that stay", arguments: Engine.available)
    func refresh(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let ids = try await server.addService("pizza")
            try await server.done("create_role", #"{"role_name":"r1"}"#)
            for id in ids { try await server.done("attach_role_to_tool", #"{"tool_id":\#(id),"role_name":"r1"}"#) }
            let offer = [("new", "New."), ("Price", "P"), ("price", "Costs.")].map { StubDiscovery.tool($0, $1) }
            server.discovery.offer(.success(Discovery(tools: offer)), at: "http://pizza.example/mcp")
            try await server.expect(
                "refresh_service",
                #"{"service_name":"pizza"}"#,
                says: "Service with name='pizza' has 3 tools now"
            )
            let tools = try await server.tools(of: "pizza")
            #expect(tools.map { $0["name"]?.string } == ["new", "Price", "price"])
            let price =
                #"{"id":\#(ids[1]),"name":"price","description":"Costs.","roles":["r1"],"definition_changed":true,"#
            #expect(tools[2].text.hasPrefix(price))
            #expect(!tools.dropLast().contains { ids.contains($0["id"]?.integer ?? 0) || $0["roles"] != [] })
            try await server.expect(
                "refresh_service",
                #"{"service_name":"none"}"#,
                fails: "Service with name 'none' not found: list_services shows which services there are"
            )
        }
    }

    @Test("refresh_service tells tools apart by the bytes of their names", arguments: Engine.available)
    func refreshOfLookAlikes(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let names = ["caf\u{e9}", "cafe\u{301}", "CAF\u{e9}"]
            for text in ["old", "new"] {
                let offer = names.map { StubDiscovery.tool($0, text) }
                server.discovery.offer(.success(Discovery(tools: offer)), at: "http://pizza.example/mcp")
                if text == "old" { try await server.addService("pizza") }
                try await server.done("refresh_service", #"{"service_name":"pizza"}"#)
                let tools = try await server.tools(of: "pizza")
                #expect(tools.map { Array(($0["name"]?.string ?? "").utf8) } == names.map { Array($0.utf8) })
                #expect(tools.map { $0["description"]?.string } == [text, text, text])
            }
        }
    }

    @Test("requires_authorization needs Basic or Bearer, and nothing else counts", arguments: Engine.available)
    func methods(_ engine: Engine) async throws {
        let refusal = "method_authorization must be 'Basic' or 'Bearer' when authorization is required"
        try await TestServer.run(engine) { server in
            try await server.expect("add_service", Self.service("s", authorization: "true"), fails: refusal)
            for method in ["", "bearer", "Digest", "Bearer "] {
                try await server.expect(
                    "add_service",
                    Self.service("s", authorization: "true", method: method),
                    fails: refusal
                )
            }
            try await server.done("add_service", Self.service("open", method: "whatever"))
            try await server.expect("/token", #"{"service_name":"open","user_id":"u"}"#, answers: #"{"status":"Ok"}"#)
            for (number, method) in ["Basic", "Bearer"].enumerated() {
                try await server.done(
                    "add_service",
                    Self.service(method, at: "http://h\(number)/mcp", authorization: "true", method: method)
                )
            }
        }
    }

    @Test(
        "only http and https URLs without user, fragment or raw characters are endpoints",
        arguments: Engine.available
    )
    func endpoints(_ engine: Engine) async throws {
        let scheme = "must be a URL that begins with http:// or https://, such as https://pizza.example/mcp"
        let bad = [
            ("", "must not be empty"), ("not-a-url", scheme), ("/etc/server.py", scheme), ("./server.js", scheme),
            ("file:///etc/passwd", scheme), ("ftp://h/mcp", scheme), ("ws://h/mcp", scheme),
            ("javascript:alert(1)", scheme),
            ("http:/h/mcp", scheme), ("http:///mcp", "has no host"), ("http://:80/mcp", "has no host"),
            ("http://u:p@h/mcp", "must not hold a user name or password: store a credential instead"),
            ("http://h/mcp#x", "must not have a fragment (#)"),
            ("http://h:0/mcp", "has a port that is no number from 1 to 65535"),
            ("http://h:65536/mcp", "has a port that is no number from 1 to 65535"),
            ("http://h:/mcp", "has a port that is no number from 1 to 65535"),
            ("http://[::1/mcp", "has '[' without ']' in its host"),
            ("http://h/ü", "must be a URL of printable ASCII characters: percent-encode all others"),
            ("http://h/a b", "must be a URL of printable ASCII characters: percent-encode all others"),
            (#"http://h/a\nb"#, "must be a URL of printable ASCII characters: percent-encode all others"),
            ("http://h/" + String(repeating: "x", count: 2_040), "is longer than 2048 bytes"),
        ]
        try await TestServer.run(engine) { server in
            for (endpoint, reason) in bad {
                try await server.expect("add_service", Self.service("s", at: endpoint), fails: "endpoint \(reason)")
            }
            #expect(server.discovery.credentials.isEmpty)
            let good = ["HTTP://H/mcp", "http://[::1]:8000/mcp", "http://h/" + String(repeating: "x", count: 2_039)]
            for (number, endpoint) in good.enumerated() {
                try await server.done("add_service", Self.service("s\(number)", at: endpoint))
            }
        }
    }

    @Test("a description has at most 16384 characters", arguments: Engine.available)
    func descriptionLength(_ engine: Engine) async throws {
        let longest = String(repeating: "🍕", count: 16_384)
        try await TestServer.run(engine) { server in
            try await server.expect(
                "add_service",
                Self.service("s", description: longest + "x"),
                fails: "Provided description length=16385 exceeds maximum 16384 characters"
            )
            try await server.done("add_service", Self.service("s", description: longest))
            try await server.expect(
                "list_services",
                lists: #"[{"service_name":"s","endpoint":"http://pizza.example/mcp","description":"\#(longest)"}]"#
            )
        }
    }

    @Test("120 tools are stored in the service's order", arguments: Engine.available)
    func manyTools(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let offer = (1...120).map { StubDiscovery.tool("tool\(120 - $0)", String(repeating: "漢", count: 16_384)) }
            server.discovery.offer(.success(Discovery(tools: offer)), at: "http://pizza.example/mcp")
            #expect(try await server.addService("pizza").count == 120)
            let names = try await server.tools(of: "pizza").map { $0["name"]?.string }
            #expect(names == offer.map(\.name))
        }
    }
}
