import Foundation
import HTTPTypes
import MCP
import Migrations
import Synchronization
import TestSupport
import Testing

@testable import Server

@Suite("Serving", .timeLimit(.minutes(10)))
struct ServeTests {
    @Test("--dev says what it does, makes what it needs, and keeps it")
    func development() async throws {
        try await TemporaryFolder.with { folder in
            let all = Set(BundledMigrations.files.map { $0.path.prefix { $0 != "/" } }).count
            for migrations in [all, 0] {
                try await Program.with(["serve", "--dev", "--port", "0"], in: folder) { program in
                    let port = try await program.port()
                    let lines = program.errors.soFar.split(separator: "\n")
                    #expect(lines[0] == "DEVELOPMENT MODE: access control is off; only this machine can connect.")
                    #expect(
                        lines[1]
                            == "Tokens are encrypted with the key ring in ./.dev-keyring.json: keep it with the database."
                    )
                    #expect(lines[2] == "The database ./dev.db is up to date (\(migrations) migrations applied now).")
                    try await HTTPConnection.with("127.0.0.1", port) { connection in
                        let users = migrations == 0 ? #"{"user":{"user_id":"u1","role":""}}"# : ""
                        try await connection.send("GET", "/list_users").expect(#"{"users":[\#(users)]}"#)
                        try await connection.expect("/role_for_user", #"{"user_id":"u1"}"#, answers: #"{"role":""}"#)
                        let foreign = try await connection.send("GET", "/list_users", host: "evil.example")
                        #expect(foreign.status == 403)
                    }
                    program.terminate()
                    #expect(try await program.ended().exitCode == 0)
                }
                #expect(try folder.entries().contains("dev.db"))
                #expect(try folder.mode(".dev-keyring.json") == 0o600)
            }
        }
    }

    @Test("a copy of the program alone in an empty folder migrates and serves", arguments: Engine.available)
    func alone(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let copy = deployment.folder.url.appending(path: "mcp-registry")
            // A file that another process has open for writing can't be run.
            try ChildProcess.starting.withLock { _ in try FileManager.default.copyItem(at: Program.executable, to: copy)
            }
            let up = try await Program.run(
                ["migrate", "up"],
                in: deployment.folder,
                deployment.settings,
                executable: copy
            )
            #expect(up.exitCode == 0, "\(up.errors)")
            try await Program.with(["serve"], in: deployment.folder, deployment.settings, executable: copy) { program in
                try await HTTPConnection.with("127.0.0.1", try await program.port()) { connection in
                    try await connection.send("GET", "/ready").expect(#"{"status":"ready"}"#)
                    #expect(try await connection.send("GET", "/list_users").status == 401)
                }
                program.terminate()
                #expect(try await program.ended().exitCode == 0)
            }
            #expect(try deployment.folder.entries() == ["mcp-registry"])
        }
    }

    @Test("what one process writes the other answers at once", arguments: Engine.available)
    func two(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            try await deployment.serve { _, first in
                try await deployment.serve { _, second in
                    for number in 1...20 {
                        let (writer, reader) = number.isMultiple(of: 2) ? (first, second) : (second, first)
                        let prompt = #"{"role_name":"r\#(number)","default_system_prompt":"\#(number)"}"#
                        try await writer.done("create_role", prompt)
                        try await reader.expect(
                            "/system_prompt_for_role",
                            #"{"role":"r\#(number)"}"#,
                            answers: #"{"default_system_prompt":"\#(number)"}"#
                        )
                        try await writer.expect(
                            "/register_user",
                            #"{"user_id":"u","role_name":"r\#(number)"}"#,
                            answers: #"{"status":"user registered"}"#
                        )
                        try await reader.expect(
                            "/role_for_user",
                            #"{"user_id":"u"}"#,
                            answers: #"{"role":"r\#(number)"}"#
                        )
                    }
                }
            }
        }
    }

    @Test(
        "SIGTERM ends a running discovery, lets its request be answered, and then ends the process",
        arguments: Engine.available
    )
    func termination(_ engine: Engine) async throws {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        let (releases, release) = AsyncStream.makeStream(of: Void.self)
        try await LocalService.run { number, request in
            if number == 0 {
                arrived.yield()
                for await _ in releases { break }
            }
            return .json("{}", status: .init(code: 404))
        } _: { service in
            try await Deployment.with(engine) { deployment in
                #expect(try await deployment.run("migrate", "up").exitCode == 0)
                try await Program.with(["serve"], in: deployment.folder, deployment.settings) { program in
                    let port = try await program.port()
                    let headers: HTTPFields = [.authorization: "Bearer \(Deployment.adminToken)"]
                    async let slow = HTTPConnection.with("127.0.0.1", port, headers: headers) { connection in
                        try await connection.call(
                            "add_service",
                            #"{"service_name":"s","endpoint":"\#(service.origin)/mcp","description":"d","requires_authorization":false}"#
                        )
                    }
                    #expect(await arrivals.first { _ in true } != nil)
                    let start = ContinuousClock.now
                    program.terminate()
                    let answer = try await slow
                    #expect(answer.status == 200)
                    let reason = "Failed to fetch tools from \(service.origin)/mcp: the server is shutting down"
                    #expect(answer.text.contains(reason))
                    release.yield()
                    try await Self.waitUntilRefused(port)
                    let ended = try await program.ended()
                    #expect(ended.exitCode == 0, "\(ended.errors)")
                    #expect(ContinuousClock.now - start < .seconds(9), "nobody waited for the service")
                }
            }
        }
    }

    /// Waits until nobody listens on the port.
    private static func waitUntilRefused(_ port: Int) async throws {
        while true {
            do {
                _ = try await HTTPConnection.with("127.0.0.1", port) { try await $0.send("GET", "/health") }
                try await Task.sleep(for: .milliseconds(10))
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                return
            }
        }
    }

    @Test("an idle connection does not hold the process up", arguments: Engine.available)
    func idleConnection(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            try await Program.with(["serve"], in: deployment.folder, deployment.settings) { program in
                let port = try await program.port()
                try await HTTPConnection.with("127.0.0.1", port) { connection in
                    let answer = try await connection.send("GET", "/health")
                    #expect(answer.status == 200)
                    let start = ContinuousClock.now
                    program.terminate()
                    let ended = try await program.ended()
                    #expect(ended.exitCode == 0, "\(ended.errors)")
                    #expect(ContinuousClock.now - start < .seconds(9), "nobody waited for the service")
                }
            }
        }
    }

    @Test("--allow-no-tokens serves all but tokens, and says so at the start")
    func withoutTokens() async throws {
        try await Deployment.with(.sqlite) { deployment in
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            let settings = deployment.settings.filter { $0.key != "REGISTRY_KEYRING" }
            try await Program.with(["serve", "--allow-no-tokens"], in: deployment.folder, settings) { program in
                let headers: HTTPFields = [.authorization: "Bearer \(Deployment.adminToken)"]
                try await HTTPConnection.with("127.0.0.1", try await program.port(), headers: headers) { connection in
                    try await connection.send("GET", "/list_users").expect(#"{"users":[]}"#)
                    try await connection.expect(
                        "authorize_user_to_service",
                        #"{"service_name":"s","user_id":"u","token":"t"}"#,
                        fails: "no key ring is configured: tokens can be neither stored nor read"
                    )
                }
                #expect(program.errors.soFar.contains("Until then tokens can be neither stored nor read (503).\n"))
            }
        }
    }
}
