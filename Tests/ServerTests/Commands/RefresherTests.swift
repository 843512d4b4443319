import DBDriver
import HTTPTypes
import MCP
import TestSupport
import Testing

@testable import Server

@Suite("Reading again in the background", .timeLimit(.minutes(10)))
struct RefresherTests {
    private static let settings = ["REFRESH_INTERVAL": "1", "DISCOVERY_ALLOW_PRIVATE": "true"]

    /// Runs `body` beside a service, with a migrated database for registries.
    private static func run(
        _ engine: Engine,
        _ body: @escaping @Sendable (Deployment, FickleService, String) async throws -> Void
    ) async throws {
        try await FickleService.run { service, endpoint in
            try await Deployment.with(engine) { deployment in
                #expect(try await deployment.run("migrate", "up").exitCode == 0)
                try await body(deployment, service, endpoint)
            }
        }
    }

    private static func add(_ endpoint: String, as name: String = "s", to server: HTTPConnection) async throws {
        try await server.expect(
            "add_service",
            #"{"service_name":"\#(name)","endpoint":"\#(endpoint)","description":"d","requires_authorization":false}"#,
            says: "Create service with name='\(name)'"
        )
    }

    /// What every process says about the service, which must be the same.
    private static func state(_ servers: [HTTPConnection]) async throws -> JSONValue {
        var states: Set<String> = []
        for server in servers { states.insert(try await server.service("s").text) }
        #expect(states.count == 1)
        return try JSONValue.parse(try #require(states.first))
    }

    /// Waits until the service has a state.
    private static func wait(_ server: HTTPConnection, until isReached: (JSONValue) -> Bool) async throws {
        while try await !isReached(server.service("s")) { try await Task.sleep(for: .milliseconds(20)) }
    }

    /// A service's row as `status: last_error, next_read in so many seconds`.
    private static func row(
        _ deployment: Deployment
    ) async throws -> (status: String, error: String?, nextRead: Timestamp) {
        try await deployment.withDatabase { database in
            try await database.read { session in
                let row = try #require(try session.row("SELECT status, last_error, next_read FROM services"))
                return (try row.get("status"), try row.get("last_error"), try row.get("next_read"))
            }
        }
    }

    @Test("three processes read a service once per interval between them", arguments: Engine.available)
    func once(_ engine: Engine) async throws {
        try await Self.run(engine) { deployment, service, endpoint in
            try await deployment.serve(3, settings: Self.settings) { servers in
                try await Self.add(endpoint, to: servers[0])
                let start = ContinuousClock.now
                try await until { service.readings.count >= 7 }
                let readings = service.readings
                // A service is due 0.9 to 1.1 intervals after a reading has ended, so however busy the machine is, no two
                // readings can be nearer. Processes that did not know of one another would each read once in that time.
                for (earlier, later) in zip(readings, readings.dropFirst()) {
                    #expect(later - earlier > .milliseconds(850))
                }
                // Each process looks at least every 1.5 s: 6 × (1.1 + 1.5) s at the most, and as much again for a busy machine.
                #expect(ContinuousClock.now - start < .seconds(32))
                let state = try await Self.state(servers)
                #expect(state["status"] == nil)
                let audited = try await deployment.withDatabase { database in
                    try await database.read { try $0.rows("SELECT action FROM audit_log").count }
                }
                #expect(audited == 1, "readings that bring nothing new leave no trace")
            }
        }
    }

    @Test("while one process waits for a slow service, no other asks it", arguments: Engine.available)
    func slow(_ engine: Engine) async throws {
        try await FickleService.run { quick, quickEndpoint in
            try await Self.run(engine) { deployment, slow, endpoint in
                let gate = Gate()
                try await deployment.serve(3, settings: Self.settings) { servers in
                    defer { gate.open() }
                    try await Self.add(endpoint, to: servers[0])
                    try await Self.add(quickEndpoint, as: "quick", to: servers[0])
                    slow.turn(.silent(gate))
                    let requests = slow.requests
                    try await until { slow.requests > requests }
                    let (start, readings) = (ContinuousClock.now, quick.readings.count)
                    // Readings of another service show that the others look. A reading itself is given up after 8 s.
                    try await until {
                        quick.readings.count >= readings + 3 || ContinuousClock.now - start > .seconds(6)
                    }
                    #expect(slow.requests == requests + 1)
                    #expect(quick.readings.count > readings)
                }
            }
        }
    }

    @Test("what a reading finds every process tells", arguments: Engine.available)
    func news(_ engine: Engine) async throws {
        try await Self.run(engine) { deployment, service, endpoint in
            let settings = Self.settings.merging(["TOOL_CHANGES": "quarantine"]) { $1 }
            try await deployment.serve(2, settings: settings) { servers in
                try await Self.add(endpoint, to: servers[0])
                service.turn(.well("Adds faster."))
                while try await servers[0].changes().isEmpty { try await Task.sleep(for: .milliseconds(20)) }
                for server in servers {
                    let change = try #require(try await server.changes().first)
                    #expect(change["offered"]?["description"]?.string == "Adds faster.")
                    #expect(try await server.tools(of: "s")[0]["description"]?.string == "Adds.")
                }
                try await servers[1].done("approve_tool_changes", #"{"service_name":"s"}"#)
                let told = try await servers[0].tools(of: "s")[0]
                #expect(told["description"]?.string == "Adds faster." && told["definition_changed"] == nil)
            }
        }
    }

    @Test(
        "a service that fails says so through every process, keeps its tools, and is back by itself",
        arguments: Engine.available
    )
    func failing(_ engine: Engine) async throws {
        try await Self.run(engine) { deployment, service, endpoint in
            try await deployment.serve(3, settings: Self.settings) { servers in
                try await Self.add(endpoint, to: servers[0])
                let tools = try await servers[0].tools(of: "s")
                service.turn(.ill(.internalServerError))
                try await Self.wait(servers[1]) { $0["status"]?.string == "failing" }
                let state = try await Self.state(servers)
                #expect(state["last_seen"]?.string?.hasSuffix("Z") == true)
                let error = try #require(state["last_error"]?.string)
                #expect(error.contains("500") && !error.contains("127.0.0.1"), "\(error)")
                for server in servers {
                    #expect(try await server.tools(of: "s") == tools)
                }
                let requests = service.requests
                try await until { service.requests > requests }
                let later = try await Self.state(servers)
                #expect(later == state, "a service that fails again has not been seen since")
                service.turn(.well("Adds."))
                try await Self.wait(servers[2]) { $0["status"] == nil }
                let recovered = try await Self.state(servers)
                #expect(recovered["last_error"] == nil && recovered["last_seen"] == nil)
                let actors = try await deployment.withDatabase { database in
                    try await database.read { session in
                        try session.rows("SELECT actor, action FROM audit_log ORDER BY at").map {
                            try $0.get("actor", as: String.self) + " " + $0.get("action", as: String.self)
                        }
                    }
                }
                #expect(actors == ["admin service.add", "refresher service.failed", "refresher service.refresh"])
            }
        }
    }

    @Test("when a process is killed in a reading, another one reads after its lease", arguments: Engine.available)
    func killed(_ engine: Engine) async throws {
        try await Self.run(engine) { deployment, service, endpoint in
            let gate = Gate()
            defer { gate.open() }
            let settings = deployment.settings.merging(Self.settings) { $1 }
            // The process is killed when its closure ends.
            try await Program.with(["serve"], in: deployment.folder, settings) { program in
                let headers: HTTPFields = [.authorization: "Bearer \(Deployment.adminToken)"]
                try await HTTPConnection.with("127.0.0.1", try await program.port(), headers: headers) { server in
                    try await Self.add(endpoint, to: server)
                }
                service.turn(.silent(gate))
                let requests = service.requests
                try await until { service.requests > requests }
            }
            service.turn(.well("Adds."))
            let lease = try await Self.row(deployment).nextRead
            let readings = service.readings.count
            try await deployment.serve(2, settings: Self.settings) { servers in
                // Two rounds of the newly started ones' looking.
                for server in servers + servers { _ = try await server.service("s") }
                #expect(try await Self.row(deployment).nextRead == lease, "the dead one's lease still holds")
                #expect(service.readings.count == readings)
                // As if the lease's two minutes were over.
                try await deployment.withDatabase { try await $0.execute("UPDATE services SET next_read = 0") }
                try await until { service.readings.count > readings }
                try await Self.wait(servers[0]) { $0["status"] == nil }
            }
        }
    }

    @Test(
        "SIGTERM during a reading ends the process in time, and the service is not blamed",
        arguments: Engine.available
    )
    func termination(_ engine: Engine) async throws {
        try await Self.run(engine) { deployment, service, endpoint in
            let gate = Gate()
            defer { gate.open() }
            let settings = deployment.settings.merging(Self.settings) { $1 }
            try await Program.with(["serve"], in: deployment.folder, settings) { program in
                let headers: HTTPFields = [.authorization: "Bearer \(Deployment.adminToken)"]
                try await HTTPConnection.with("127.0.0.1", try await program.port(), headers: headers) { server in
                    try await Self.add(endpoint, to: server)
                }
                service.turn(.silent(gate))
                let requests = service.requests
                try await until { service.requests > requests }
                let start = ContinuousClock.now
                program.terminate()
                let ended = try await program.ended()
                #expect(ended.exitCode == 0, "\(ended.errors)")
                #expect(ContinuousClock.now - start < .seconds(10))
            }
            let row = try await Self.row(deployment)
            #expect(row.status == "active" && row.error == nil)
        }
    }

    @Test("REFRESH_INTERVAL=0 reads nothing by itself", arguments: Engine.available)
    func never(_ engine: Engine) async throws {
        try await Self.run(engine) { deployment, service, endpoint in
            let settings = Self.settings.merging(["REFRESH_INTERVAL": "0"]) { $1 }
            try await deployment.serve(settings: settings) { _, idle in
                try await Self.add(endpoint, to: idle)
                try await deployment.withDatabase { try await $0.execute("UPDATE services SET next_read = 0") }
                let due = try await Self.row(deployment).nextRead
                // A second process that does read shows that the service was due all the time.
                for _ in 1...20 { _ = try await idle.service("s") }
                #expect(try await Self.row(deployment).nextRead == due && service.readings.count == 1)
                try await deployment.serve(settings: Self.settings) { _, _ in
                    try await until { service.readings.count > 1 }
                }
            }
        }
    }
}
