import HTTPTypes
import MCP
import Registry
import TestSupport
import Testing

@testable import Server

/// Who may do what. The tables are written down here once more, by hand: whatever is added has to be added here too.
@Suite("Scopes")
struct ScopeTests {
    private static let options = TestServer.Options(adminToken: Deployment.adminToken)

    /// What each route takes.
    static let routes: [(method: String, path: String, scope: Scope)] = [
        ("GET", "/list_services", .read), ("HEAD", "/list_services", .read), ("GET", "/token", .readTokens),
        ("POST", "/token", .readTokens), ("POST", "/user_token", .writeTokens), ("POST", "/role_for_user", .read),
        ("POST", "/tools_for_role", .read),
        ("POST", "/system_prompt_for_role", .read), ("GET", "/list_users", .administer),
        ("POST", "/register_user", .administer), ("POST", "/discovery_credential", .write),
    ]

    /// What each tool takes.
    static let tools: [String: Scope] = [
        "list_users": .administer, "create_role": .administer, "list_roles": .read, "remove_role": .administer,
        "set_role_system_prompt": .administer, "assign_role_to_user": .administer, "remove_role_from_user": .administer,
        "attach_role_to_tool": .administer, "detach_role_from_tool": .administer, "add_service": .write,
        "list_services": .read, "remove_service": .write, "get_tools": .read, "refresh_service": .write,
        "update_service": .write, "find_tools": .read, "authorize_user_to_service": .writeTokens,
        "list_user_tokens": .writeTokens, "revoke_user_token": .writeTokens, "grant_user_token": .writeTokens,
        "withdraw_user_token": .writeTokens,
        "approve_tool_changes": .administer, "list_tool_changes": .administer,
    ]

    /// What each scope opens.
    private static let opened: [Scope: Set<Scope>] = [
        .read: [.read], .write: [.write, .read], .administer: [.administer, .write, .read, .actForUsers],
        .readTokens: [.readTokens], .writeTokens: [.writeTokens], .actForUsers: [.actForUsers],
    ]

    @Test("the OpenAPI document has every route and no other, each with its scope, and says what each answer is")
    func document() async throws {
        try await TestServer.run(.sqlite) { server in
            let answer = try await server.send("GET", "/openapi.json")
            #expect(answer.status == 200)
            let paths = try #require(try answer.json["paths"]?.object)
            var scopes: [String: String] = [:]
            for path in paths.members {
                for operation in path.value.object?.members ?? [] {
                    scopes["\(operation.key.uppercased()) \(path.key)"] = operation.value["x-scope"]?.string ?? "-"
                    let answers = try #require(operation.value["responses"]?.object)
                    #expect(answers.members.allSatisfy { $0.value["description"]?.string?.isEmpty == false })
                }
            }
            var expected = ["GET /health": "-", "GET /ready": "-", "GET /openapi.json": "-", "POST /mcp": "-"]
            for route in Self.routes where route.method != "HEAD" {
                expected["\(route.method) \(route.path)"] = route.scope.rawValue
            }
            #expect(scopes == expected)
        }
    }

    @Test("every route and every tool is in the table, and no other")
    func complete() async throws {
        try await TestServer.run(.sqlite) { server in
            let registry = server.registry
            let declared = AgentRoutes.routes(registry) + AdminRoutes.routes(registry)
            #expect(
                Set(declared.map { "\($0.method) \($0.path)" })
                    == Set(Self.routes.filter { $0.method != "HEAD" }.map { "\($0.method) \($0.path)" })
            )
            let tools = ToolCatalog(registry, limiter: RateLimiter(RateLimits()), logger: quietLogger).tools
            #expect(Set(tools.map(\.definition.name)) == Set(Self.tools.keys).union(["whoami"]))
            #expect(tools.filter { $0.scope == nil }.map(\.definition.name) == ["whoami"])
        }
    }

    @Test("a key opens the routes that its scope stands for and no other", arguments: Scope.allCases)
    func routes(_ scope: Scope) async throws {
        try await TestServer.run(.sqlite, Self.options) { server in
            let caller = try await server.withKey("k", [scope])
            let opened = try #require(Self.opened[scope])
            for route in Self.routes {
                let body = ["POST"].contains(route.method) ? "{}" : nil
                let answer = try await caller.send(route.method, route.path, body)
                guard opened.contains(route.scope) else {
                    #expect(answer.status == 403, "\(route)")
                    let detail = "this takes the scope \(route.scope), which the caller does not have"
                    #expect(
                        answer.header("WWW-Authenticate") == """
                            Bearer error="insufficient_scope", error_description="\(detail)", scope="\(route.scope)"
                            """
                    )
                    if route.method != "HEAD" { answer.expectProblem(403, detail) }
                    continue
                }
                // What is asked for badly gets as far as its handler.
                #expect([200, 400].contains(answer.status), "\(route): \(answer.text)")
            }
        }
    }

    @Test("a key lists and calls the tools that its scope stands for and no other", arguments: Scope.allCases)
    func tools(_ scope: Scope) async throws {
        try await TestServer.run(.sqlite, Self.options) { server in
            let caller = try await server.withKey("k", [scope])
            let opened = try #require(Self.opened[scope])
            let may = Set(Self.tools.filter { opened.contains($0.value) }.keys)
            let list = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#
            let answer = try await caller.send("POST", "/mcp", list, headers: [.contentType: "application/json"]).json
            let listed = try #require(answer["result"]?["tools"]?.array).map { $0["name"]?.string ?? $0.text }
            #expect(listed.count == may.count + 1 && Set(listed) == may.union(["whoami"]))
            for (tool, needed) in Self.tools {
                // No argument that any of them knows: whoever may call it is told so.
                let answer = try await caller.call(tool, #"{"unknown_argument":1}"#)
                #expect(answer.status == 200)
                if may.contains(tool) {
                    #expect(answer.text.contains("Input validation error"), "\(tool): \(answer.text)")
                } else {
                    #expect(answer.text.contains("it takes the scope \(needed), which this caller does not have"))
                    #expect(answer.text.hasSuffix(#""isError":true}}"#))
                }
            }
        }
    }

    @Test("a key that acts for one user is refused any other, and one without a user each", arguments: Engine.available)
    func users(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            let administrator = server.asAdministrator
            try await administrator.addService("pizza", method: "Bearer")
            try await administrator.authorize("ann", "pizza", "ann-token")
            try await administrator.authorize("bob", "pizza", "bob-token")
            let scopes: Set<Scope> = [.read, .readTokens, .writeTokens]
            let ann = try await server.withKey("ann's", scopes, user: "ann")
            let nobody = try await server.withKey("nobody's", scopes)
            let agent = try await server.withKey("agent", scopes.union([.actForUsers]))
            let other = "to name another user_id takes the scope users:act"
            for (caller, user, refusal) in [
                (ann, "ann", nil),
                (ann, "bob", "this caller acts for user 'ann' only: \(other)"),
                (ann, "Ann", "this caller acts for user 'ann' only: \(other)"),
                (nobody, "ann", "this caller is no user: \(other)"),
            ] as [(CallerWithToken, String, String?)] {
                let body = #"{"service_name":"pizza","user_id":"\#(user)"}"#
                let arguments = #"{"service_name":"pizza","user_id":"\#(user)","token":"\#(user)-token"}"#
                guard let refusal else {
                    try await caller.expect("/role_for_user", body, answers: #"{"role":""}"#)
                    let token = #"{"token":"\#(user)-token","method_authorization":"Bearer"}"#
                    try await caller.expect("/token", body, answers: token)
                    try await caller.authorize(user, "pizza", "\(user)-token")
                    try await caller.expect("/user_token", arguments, answers: #"{"status":"token stored"}"#)
                    continue
                }
                try await caller.expect("/role_for_user", body, refuses: 403, refusal)
                try await caller.expect("/token", body, refuses: 403, refusal)
                try await caller.expect("/user_token", arguments, refuses: 403, refusal)
                for tool in ["authorize_user_to_service", "revoke_user_token", "list_user_tokens"] {
                    let given =
                        tool == "authorize_user_to_service"
                        ? arguments
                        : tool == "list_user_tokens"
                            ? #"{"user_id":"\#(user)"}"# : body
                    try await caller.expect(tool, given, fails: refusal)
                }
            }
            // Who may name any user is told what it asks, but given no token that it was not granted.
            for user in ["ann", "bob"] {
                let body = #"{"service_name":"pizza","user_id":"\#(user)"}"#
                try await agent.expect("/role_for_user", body, answers: #"{"role":""}"#)
                #expect(try await agent.send("POST", "/token", body).status == 403)
            }
            let users = try await administrator.users()
            #expect(!users.contains("Ann"), "who is refused does not come into being")
        }
    }

    @Test("a service is changed by who has added it and by administrators only", arguments: Engine.available)
    func owners(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            let (owner, other) = (try await server.withKey("owner", [.write]), try await server.withKey("x", [.write]))
            let changer = try await server.withKey("admin's", [.administer])
            try await owner.addService("pizza")
            let discoveries = server.discovery.credentials.count
            let refusal = "the service 'pizza' was added by somebody else: to change it takes the scope registry:admin"
            let (name, move) = (
                #"{"service_name":"pizza"}"#, #"{"service_name":"pizza","endpoint":"http://evil.example/mcp"}"#
            )
            try await other.expect("refresh_service", name, fails: refusal)
            try await other.expect("update_service", move, fails: refusal)
            try await other.expect("remove_service", name, fails: refusal)
            let credential = #"{"service_name":"pizza","method_authorization":"Bearer","token":"t"}"#
            try await other.expect("/discovery_credential", credential, refuses: 403, refusal)
            #expect(server.discovery.credentials.count == discoveries, "who may not change it has it not read either")
            for caller in [owner, changer] {
                try await caller.done("refresh_service", name)
                try await caller.done("update_service", #"{"service_name":"pizza","description":"D."}"#)
                try await caller.expect(
                    "/discovery_credential",
                    credential,
                    answers: #"{"status":"discovery credential stored"}"#
                )
            }
            try await owner.done("remove_service", name)
            try await server.asAdministrator.addService("pasta")
            try await owner.expect(
                "remove_service",
                #"{"service_name":"pasta"}"#,
                fails: refusal.replacing("pizza", with: "pasta")
            )
        }
    }
}
