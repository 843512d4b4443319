import Synchronization
import TestSupport
import Testing

@testable import DBDriver

/// Several servers in the configuration, of which some are away.
@Suite("Fail-over", .timeLimit(.minutes(5)))
struct FailOverTests {
    /// A database with other servers in its configuration.
    func withServers(
        _ engine: Engine,
        _ change: (inout MySQLConfiguration) -> Void,
        _ configure: (inout DatabaseConfiguration) -> Void = { _ in },
        _ body: (Database) async throws -> Void
    ) async throws {
        try await engine.withDatabase { plain in
            var configuration = plain.configuration
            guard case .mysql(var mysql) = configuration.engine else { return }
            change(&mysql)
            configuration.engine = .mysql(mysql)
            configure(&configuration)
            let database = Database(configuration, logger: quietLogger)
            try await body(database)
            await database.shutDown()
        }
    }

    /// A database whose preferred server is another port of the loopback interface.
    func withPreferred(_ engine: Engine, _ port: UInt16, _ body: (Database) async throws -> Void) async throws {
        try await withServers(
            engine,
            { mysql in
                mysql.hosts.insert(.init(name: "127.0.0.1", port: port), at: 0)
                mysql.connectTimeout = .seconds(1)
            },
            { _ in },
            body
        )
    }

    @Test("a server that refuses is passed over, and known to be away", arguments: Engine.servers)
    func refused(engine: Engine) async throws {
        let dead = try LoopbackSocket(isListening: false)
        try await withPreferred(engine, dead.port) { database in
            try await database.ping()
            #expect(database.servers.prefix(2).map(\.state) == ["refused", "connected"])
        }
    }

    @Test(
        "a server that hangs costs its connect time-out once, and the callers after that nothing",
        arguments: Engine.servers
    )
    func hung(engine: Engine) async throws {
        let silent = try LoopbackSocket(isListening: true)
        try await withPreferred(engine, silent.port) { database in
            try await database.ping()
            #expect(database.servers.prefix(2).map(\.state) == ["hung", "connected"])
            let start = ContinuousClock.now
            for _ in 0..<20 { try await database.ping() }
            #expect(ContinuousClock.now - start < .seconds(1))
        }
    }

    @Test("connections come back to the preferred server once its pause is over", arguments: Engine.servers)
    func failBack(engine: Engine) async throws {
        try await engine.withDatabase { plain in
            guard case .mysql(var mysql) = plain.configuration.engine, let host = mysql.hosts.first else { return }
            mysql.hosts = [host, host]
            let now = Mutex(Timestamp.now())
            let list = HostList(mysql.hosts, clock: { now.withLock { $0 } })
            list.found(0, .refused)
            let away = try MariaDBSession.open(mysql, list, purpose: .serving)
            #expect(list.current.map(\.state) == [.refused, .connected])
            #expect(away.ageMax != nil && away.probe?.host == 1)
            now.withLock { $0 = $0 + HostStates.pauseMax }
            let back = try MariaDBSession.open(mysql, list, purpose: .serving)
            #expect(list.current.map(\.state) == [.connected, .connected])
            #expect(back.ageMax == nil && back.probe?.host == 0)
            for session in [away, back] { session.close() }
        }
    }

    @Test("a read is interrupted when its request has no time left", arguments: Engine.servers)
    func slowRead(engine: Engine) async throws {
        try await engine.withDatabase { database in
            let start = ContinuousClock.now
            let error = await #expect(throws: DatabaseError.self) {
                try await RequestDeadline.$current.withValue(start + .milliseconds(500)) {
                    try await database.read { try $0.row("SELECT SLEEP(6) AS s") }
                }
            }
            #expect([.connectionLost, .interrupted].contains(error?.kind))
            #expect(ContinuousClock.now - start < .seconds(4))
            try await database.ping()
        }
    }

    @Test("a caller's deadline ends the wait for a connection and the attempts", arguments: Engine.servers)
    func deadline(engine: Engine) async throws {
        let dead = try LoopbackSocket(isListening: false)
        try await withServers(engine, { $0.hosts = [.init(name: "127.0.0.1", port: dead.port)] }) { database in
            let start = ContinuousClock.now
            let error = await #expect(throws: DatabaseError.self) {
                try await RequestDeadline.$current.withValue(start + .milliseconds(700)) { try await database.ping() }
            }
            #expect(error?.kind == .unavailable)
            #expect(ContinuousClock.now - start < .seconds(3))
        }
    }

    @Test(
        "500 callers of a server that is away open few connections, and all are told in time",
        arguments: Engine.servers
    )
    func storm(engine: Engine) async throws {
        let dead = try LoopbackSocket(isListening: false)
        try await withServers(
            engine,
            { $0.hosts = [.init(name: "127.0.0.1", port: dead.port)] },
            { configuration in
                configuration.operationTimeout = .seconds(2)
                configuration.poolTimeout = .seconds(1)
            }
        ) { database in
            let start = ContinuousClock.now
            let refused = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<500 {
                    group.addTask {
                        do {
                            try await database.ping()
                            return false
                        } catch { return (error as? DatabaseError)?.kind == .unavailable }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(refused == 500)
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }
}
