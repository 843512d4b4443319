import Foundation
import HTTPTypes
import Migrations
import Registry
import TestSupport
import Testing

@testable import DBDriver
@testable import Server

/// The program's own migrations with more behind them, as a newer program would have.
private struct NewerMigrations {
    static let latest = Set(BundledMigrations.files.map { $0.path.prefix { $0 != "/" } }).count

    let folder: TemporaryFolder

    /// `up` scripts with their headers; `down` drops nothing.
    init(in folder: TemporaryFolder, _ scripts: [String]) throws {
        self.folder = folder
        for file in BundledMigrations.files { try write(file.path, file.text) }
        for (index, script) in scripts.enumerated() {
            let label = "\(padded(Self.latest + 1 + index))_newer"
            try write("\(label)/up.sql", script)
            try write("\(label)/down.sql", "DELETE FROM roles WHERE name = '';\n")
        }
    }

    var path: String { folder.url.appending(path: "newer").path }

    private func write(_ path: String, _ text: String) throws {
        let file = folder.url.appending(path: "newer").appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }
}

private let expand = "-- phase: expand\nCREATE TABLE newer (id INTEGER NOT NULL PRIMARY KEY);\n"

private func contract(minApp: Int) -> String {
    "-- phase: contract\n-- min-app: \(minApp)\nALTER TABLE services DROP COLUMN failures;\n"
}

@Suite("Rolling deploys", .timeLimit(.minutes(10)))
struct RollingDeployTests {
    @Test("a server works on a schema that a newer program has added to, and says so", arguments: Engine.available)
    func added(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let newer = try NewerMigrations(in: deployment.folder, [expand])
            #expect(try await deployment.run("migrate", "up", "--dir", newer.path).exitCode == 0)
            try await deployment.serve { program, server in
                try await server.send("GET", "/ready").expect(#"{"status":"ready"}"#)
                #expect(program.errors.soFar.contains("a newer program has migrated the database"))
                try await server.done("create_role", #"{"role_name":"r"}"#)
                try await server.addRoleAndRead()
            }
        }
    }

    @Test(
        "an older program that migrates at its start leaves alone what a newer one added",
        arguments: Engine.available
    )
    func addedAndMigrating(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let newer = try NewerMigrations(in: deployment.folder, [expand])
            #expect(try await deployment.run("migrate", "up", "--dir", newer.path).exitCode == 0)
            let wait = try await deployment.run("migrate", "wait", "--schema", "--timeout", "5")
            #expect(wait.exitCode == 0, "\(wait.errors)")
            let arguments = ["serve", "--migrate-on-start"]
            try await Program.with(arguments, in: deployment.folder, deployment.settings) { program in
                _ = try await program.port()
                program.terminate()
                #expect(try await program.ended().exitCode == 0)
            }
        }
    }

    @Test("a server that migrates at its start waits for its database too")
    func migratingWithoutDatabase() async throws {
        try await Deployment.with(.sqlite) { deployment in
            let socket = try LoopbackSocket(isListening: false)
            let settings = deployment.settings.merging(["DATABASE_URL": "mysql://u@127.0.0.1:\(socket.port)/d"]) { $1 }
            let arguments = ["serve", "--migrate-on-start", "--schema-wait", "1"]
            let ended = try await Program.run(arguments, in: deployment.folder, settings)
            #expect(ended.exitCode == 8)
            #expect(ended.errors.contains("mcp-registry: waiting: "), "\(ended.errors)")
        }
    }

    @Test("a server refuses a schema from which a newer program has removed something", arguments: Engine.available)
    func removed(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let newer = try NewerMigrations(in: deployment.folder, [contract(minApp: NewerMigrations.latest + 1)])
            #expect(try await deployment.run("migrate", "up", "--dir", newer.path).exitCode == 0)
            let ended = try await deployment.run("serve")
            #expect(ended.exitCode == 6 && ended.errors.contains("the schema is too new"), "\(ended.errors)")
        }
    }

    @Test(
        "a contract migration is refused while an older server lives, names it, and runs once it has ended",
        arguments: Engine.available
    )
    func olderServer(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            let newer = try NewerMigrations(in: deployment.folder, [contract(minApp: NewerMigrations.latest + 1)])
            try await deployment.serve { program, server in
                try await deployment.waitForInstances(1)
                let refused = try await deployment.run("migrate", "up", "--dir", newer.path)
                #expect(refused.exitCode == 1)
                #expect(refused.errors.contains("schema level \(NewerMigrations.latest))"), "\(refused.errors)")
                try await server.send("GET", "/ready").expect(#"{"status":"ready"}"#)
            }
            try await deployment.waitForInstances(0)
            #expect(try await deployment.run("migrate", "up", "--dir", newer.path).exitCode == 0)
        }
    }

    @Test("a contract migration that the running servers know of is not held up", arguments: Engine.available)
    func currentServer(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            let script = "-- phase: contract\n-- min-app: \(NewerMigrations.latest)\nDROP TABLE tool_definitions;\n"
            let newer = try NewerMigrations(in: deployment.folder, [script])
            try await deployment.serve { _, _ in
                try await deployment.waitForInstances(1)
                #expect(try await deployment.run("migrate", "up", "--dir", newer.path).exitCode == 0)
            }
        }
    }

    @Test(
        "the program works at each schema level from its lowest on, and not below",
        arguments: Engine.available,
        BundledMigrations.usableFrom...NewerMigrations.latest
    )
    func levels(_ engine: Engine, _ level: Int) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(
                try await deployment.run("migrate", "up", "--to", "\(BundledMigrations.usableFrom - 1)").exitCode == 0
            )
            let early = try await deployment.run("serve")
            #expect(early.exitCode == 6 && early.errors.contains("run: mcp-registry migrate up"), "\(early.errors)")
            #expect(try await deployment.run("migrate", "up", "--to", "\(level)").exitCode == 0)
            try await deployment.serve { program, server in
                try await server.send("GET", "/ready").expect(#"{"status":"ready"}"#)
                #expect(program.errors.soFar.contains("which is enough") == (level < NewerMigrations.latest))
                try await server.addRoleAndRead()
            }
        }
    }

    @Test("a server that starts waits for its schema as long as it is told to", arguments: Engine.available)
    func waiting(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let one = try await deployment.run("migrate", "up", "--to", "1")
            #expect(one.exitCode == 0)
            try await Program.with(["serve", "--schema-wait", "120"], in: deployment.folder, deployment.settings) {
                program in
                #expect(await program.errors.text { $0.range(of: "waiting: ") } != nil)
                #expect(try await deployment.run("migrate", "up").exitCode == 0)
                try await HTTPConnection.with("127.0.0.1", try await program.port()) { connection in
                    try await connection.send("GET", "/ready").expect(#"{"status":"ready"}"#)
                }
                program.terminate()
                #expect(try await program.ended().exitCode == 0)
            }
        }
    }

    @Test("--migrate-on-start migrates first; without it a server touches no schema", arguments: Engine.available)
    func migrating(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.run("migrate", "up", "--to", "1").exitCode == 0)
            #expect(try await deployment.run("serve").exitCode == 6)
            let wait = try await deployment.run("migrate", "status", "--exit-code")
            #expect(wait.exitCode == 6)
            try await Program.with(["serve", "--migrate-on-start"], in: deployment.folder, deployment.settings) {
                program in
                try await HTTPConnection.with("127.0.0.1", try await program.port()) { connection in
                    try await connection.send("GET", "/ready").expect(#"{"status":"ready"}"#)
                }
                program.terminate()
                #expect(try await program.ended().exitCode == 0)
            }
            #expect(try await deployment.run("migrate", "status", "--exit-code").exitCode == 0)
        }
    }

    @Test("a server that waits for its schema in vain says what it waited for", arguments: Engine.available)
    func waitingInVain(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.run("migrate", "up", "--to", "1").exitCode == 0)
            let ended = try await deployment.run("serve", "--schema-wait", "1")
            #expect(ended.exitCode == 6 && ended.errors.hasSuffix("run: mcp-registry migrate up\n"), "\(ended.errors)")
            #expect(ended.errors.contains("mcp-registry: waiting: "))
        }
    }

    @Test("--migrate-on-start migrates as the user of MIGRATE_DATABASE_URL, and serves as the other")
    func migratingAsAnother() async throws {
        try await Deployment.with(.sqlite) { deployment in
            let settings = deployment.settings.merging(["MIGRATE_DATABASE_URL": "sqlite:////nonexistent/x.db"]) { $1 }
            let wrong = try await Program.run(["serve", "--migrate-on-start"], in: deployment.folder, settings)
            #expect(wrong.exitCode == 8 && wrong.errors.contains("unable to open database file"), "\(wrong.errors)")
            let right = ["MIGRATE_DATABASE_URL": deployment.databaseURL]
            let both = deployment.settings.merging(right) { $1 }
            try await Program.with(["serve", "--migrate-on-start"], in: deployment.folder, both) { program in
                _ = try await program.port()
                program.terminate()
                #expect(try await program.ended().exitCode == 0)
            }
        }
    }

    @Test("a server is not ready any more once a newer program has removed what it uses", arguments: Engine.available)
    func removedMeanwhile(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            let newer = try NewerMigrations(in: deployment.folder, [contract(minApp: NewerMigrations.latest + 1)])
            try await deployment.serve { _, server in
                // It counts as dead, and lives.
                try await deployment.waitForInstances(1)
                try await deployment.withDatabase { database in
                    _ = try await database.write { try $0.execute("UPDATE app_instances SET seen_at = 0") }
                }
                #expect(try await deployment.run("migrate", "up", "--dir", newer.path).exitCode == 0)
                // The verdict about the schema holds for 5 s.
                let deadline = ContinuousClock.now + .seconds(10)
                while try await server.send("GET", "/ready").status != 503 {
                    try #require(ContinuousClock.now < deadline)
                    try await Task.sleep(for: .milliseconds(200))
                }
                let answer = try await server.send("GET", "/ready")
                #expect(answer.text.contains("the schema is too new"), "\(answer.text)")
            }
        }
    }

    @Test("a half-applied migration stops a server that starts, and none that serves", arguments: Engine.servers)
    func halfApplied(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            let newer = try NewerMigrations(
                in: deployment.folder,
                [expand + "CREATE TABLE newer (id INTEGER NOT NULL PRIMARY KEY);\n"]
            )
            try await deployment.serve { _, server in
                #expect(try await deployment.run("migrate", "up", "--dir", newer.path).exitCode == 4)
                // The verdict about the schema holds for 5 s: ask until it was made anew.
                let deadline = ContinuousClock.now + .seconds(6)
                while ContinuousClock.now < deadline {
                    try await server.send("GET", "/ready").expect(#"{"status":"ready"}"#)
                    try await Task.sleep(for: .milliseconds(500))
                }
                let second = try await deployment.run("serve")
                #expect(second.exitCode == 6 && second.errors.contains("under way or stopped in the middle"))
            }
        }
    }
}

extension HTTPConnection {
    /// A change and a question that meet most of the schema.
    fileprivate func addRoleAndRead() async throws {
        try await done("create_role", #"{"role_name":"level","default_system_prompt":"p"}"#)
        try await expect(
            "/register_user",
            #"{"user_id":"u","role_name":"level"}"#,
            answers: #"{"status":"user registered"}"#
        )
        try await expect("/tools_for_role", #"{"role":"level"}"#, answers: #"{"tools":[]}"#)
        try await expect("find_tools", #"{"query":"x"}"#, lists: "[]")
        try await expect("list_services", lists: "[]")
    }
}

extension Deployment {
    /// Waits until so many servers are known to run.
    fileprivate func waitForInstances(_ count: Int) async throws {
        try await withDatabase { database in
            while true {
                let alive = try await database.read { try AppInstance.alive(below: .max, in: $0) }
                if alive.count == count { return }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }
}
