import DBDriver
import MCP
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("approve_tool_changes")
struct ApprovalTests {
    private static let digest = StubDiscovery.tool("add", "Canary 1.").sha256.hexadecimal
    private static let nothing = "No change of service with name='pizza' waits for approval"

    private static func options(_ policy: CatalogPolicy.ToolChanges) -> TestServer.Options {
        var options = TestServer.Options()
        options.policy.toolChanges = policy
        return options
    }

    /// Lets both tools of both services change, with the number in their texts.
    private static func change(_ server: TestServer, _ number: Int) async throws {
        for service in ["pizza", "bank"] {
            let tools = ["add", "price"].map { StubDiscovery.tool($0, "Canary \(number).") }
            server.discovery.offer(tools, by: service)
            try await server.refresh(service)
        }
    }

    /// Runs `body` under both policies, with the same outcome, beside a server with two services that have changed.
    private static func run(
        _ engine: Engine,
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        for policy in CatalogPolicy.ToolChanges.allCases {
            try await TestServer.run(engine, options(policy)) { server in
                for service in ["pizza", "bank"] { try await server.addService(service) }
                try await change(server, 1)
                try await body(server)
            }
        }
    }

    /// What waits, as `service tool`.
    private static func waiting(_ server: TestServer) async throws -> [String] {
        try await server.changes().map { "\($0["service_name"]?.string ?? "") \($0["tool_name"]?.string ?? "")" }
    }

    @Test("without a tool all of the service is approved, and again nothing", arguments: Engine.available)
    func all(_ engine: Engine) async throws {
        try await Self.run(engine) { server in
            for arguments in [#"{"service_name":"pizza"}"#, #"{"service_name":"bank","tool_name":null,"sha256":null}"#]
            {
                let name = arguments.contains("pizza") ? "pizza" : "bank"
                try await server.expect(
                    "approve_tool_changes",
                    arguments,
                    says: "Approved the definitions of 'add', 'price' of service with name='\(name)'"
                )
                #expect(try await Self.waiting(server) == (name == "pizza" ? ["bank add", "bank price"] : []))
            }
            try await server.expect("approve_tool_changes", #"{"service_name":"pizza"}"#, says: Self.nothing)
        }
    }

    @Test("by its SHA-256 exactly one definition is approved", arguments: Engine.available)
    func digest(_ engine: Engine) async throws {
        try await Self.run(engine) { server in
            let seen = try #require(try await server.changes().first { $0["service_name"] == "pizza" })
            #expect(seen["tool_name"] == "add" && seen["sha256"]?.string == Self.digest)
            let arguments = #"{"service_name":"pizza","tool_name":"add","sha256":"\#(Self.digest.uppercased())"}"#
            try await server.expect(
                "approve_tool_changes",
                arguments,
                says: "Approved the definitions of 'add' of service with name='pizza'"
            )
            #expect(try await Self.waiting(server) == ["bank add", "bank price", "pizza price"])
            #expect(try await server.tools(of: "pizza")[0]["description"]?.string == "Canary 1.")
            try await server.expect("approve_tool_changes", arguments, says: Self.nothing)
        }
    }

    @Test("a definition that has changed since it was seen is not approved", arguments: Engine.available)
    func stale(_ engine: Engine) async throws {
        try await Self.run(engine) { server in
            try await Self.change(server, 2)
            let now = StubDiscovery.tool("add", "Canary 2.").sha256.hexadecimal
            let before = try await server.changes()
            for digest in [Self.digest, StubDiscovery.standardDigest, "x", String(now.dropLast())] {
                try await server.expect(
                    "approve_tool_changes",
                    #"{"service_name":"pizza","tool_name":"add","sha256":"\#(digest)"}"#,
                    fails:
                        "the definition of 'add' has the sha256 \(now) now: look at it with list_tool_changes before you "
                        + "approve it"
                )
            }
            #expect(try await server.changes() == before)
        }
    }

    private static let advice = ": list_services shows which services there are, get_tools which tools each has"

    @Test("what is named must be there", arguments: Engine.available)
    func unknown(_ engine: Engine) async throws {
        try await Self.run(engine) { server in
            for (arguments, reason) in [
                (
                    #"{"service_name":"pizza","sha256":"\#(Self.digest)"}"#,
                    "sha256 is the digest of one definition: give tool_name too"
                ),
                (
                    #"{"service_name":"pizza","tool_name":"Add"}"#,
                    "Service with name 'pizza' has no tool 'Add'\(Self.advice)"
                ),
                (#"{"service_name":"none"}"#, "Service with name 'none' not found\(Self.advice)"),
                (#"{"service_name":"Pizza","tool_name":"add"}"#, "Service with name 'Pizza' not found\(Self.advice)"),
            ] {
                try await server.expect("approve_tool_changes", arguments, fails: reason)
            }
            #expect(try await Self.waiting(server).count == 4)
            server.discovery.offer([StubDiscovery.tool("price", "Canary 1.")])
            try await server.refresh("pizza")
            try await server.expect(
                "approve_tool_changes",
                #"{"service_name":"pizza","tool_name":"add"}"#,
                fails: "Service with name 'pizza' has no tool 'add'\(Self.advice)"
            )
        }
    }

    @Test("a tool that has not changed needs no approval", arguments: Engine.available)
    func unchanged(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            for arguments in [
                #"{"service_name":"pizza"}"#, #"{"service_name":"pizza","tool_name":"add"}"#,
                #"{"service_name":"pizza","tool_name":"add","sha256":"\#(StubDiscovery.standardDigest)"}"#,
            ] {
                try await server.expect("approve_tool_changes", arguments, says: Self.nothing)
            }
        }
    }

    @Test(
        "the history keeps who has approved what, and the audit log no word of a definition",
        arguments: Engine.available
    )
    func traces(_ engine: Engine) async throws {
        var options = Self.options(.quarantine)
        options.adminToken = Deployment.adminToken
        try await TestServer.run(engine, options) { server in
            let administrator = server.asAdministrator
            try await administrator.addService("pizza")
            for number in 1...2 {
                server.discovery.offer([StubDiscovery.tool("add", "Canary \(number).")])
                try await administrator.refresh("pizza")
                if number == 1 { try await administrator.done("approve_tool_changes", #"{"service_name":"pizza"}"#) }
            }
            let history = try #require(try await administrator.changes().first?["history"]?.array)
            #expect(history.map { $0["approved_by"]?.string } == [nil, "admin", nil])
            #expect(history.map { $0["approved_at"] != nil } == [true, true, false])
            let rows = try await server.database.read { session in
                try session.rows("SELECT actor, action, target FROM audit_log").map {
                    [try $0.get("actor", as: String.self), try $0.get("action"), try $0.get("target")]
                }
            }
            #expect(Set(rows.map { $0[0] }) == ["admin"])
            #expect(rows.filter { $0[1] == "tool.approve_changes" }.count == 1)
            #expect(rows.allSatisfy { $0[2].hasPrefix("service 'pizza'") && !$0[2].contains("Canary") })
        }
    }
}
