import Synchronization
import TestSupport
import Testing

@testable import DBDriver

@Suite("Migration lease")
struct MigrationLeaseTests {
    @Test("SQLite: a run waits for another program's long write, tells so, and gives up in time with exit code 7")
    func writer() async throws {
        try await Engine.sqlite.withEmptyDatabase { database in
            let all = files(("a", "CREATE TABLE a (id INT);", "DROP TABLE a;"))
            _ = try await Migrator(database, all).up(to: 0)
            let writer = Connection(name: "writer", open: database.opener(.readWrite))
            try await writer.connect()
            _ = try await writer.run { try $0.execute(trustedText: "BEGIN IMMEDIATE") }
            let start = ContinuousClock.now
            let impatient = try Migrator(database, all) { $0.lockWait = .seconds(1) }
            let error = await impatient.error { _ = try await $0.up() }
            #expect(error?.exitCode == 7)
            #expect(error?.description.contains("another program has been writing to the database file") == true)
            #expect(ContinuousClock.now - start < .seconds(8))
            let (waits, told) = AsyncStream.makeStream(of: Void.self)
            let patient = try Migrator(database, all)
            async let done = patient.up { if case .waitingForWriter = $0 { told.yield() } }
            _ = await waits.first { true }
            await writer.close()
            #expect(try await done.map(\.version) == [1])
        }
    }

    private static let one = files(("a", "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);", "DROP TABLE a;"))

    private func lease(_ owner: String, _ duration: Duration = .seconds(60)) -> MigrationLease {
        MigrationLease(owner: owner, holder: "host-\(owner)", duration: duration)
    }

    @Test(
        "One run has the lease at a time; it may take it again, renew it and give it back",
        arguments: Engine.available
    )
    func exclusive(_ engine: Engine) async throws {
        let (first, second) = (lease("1"), lease("2"))
        try await engine.withEmptyDatabase { database in
            try await database.onConnection { session in
                try MigrationTables.create(in: session)
                try MigrationTables.create(in: session)
                #expect(try MigrationLease.current(in: session) == nil)
                #expect(try first.take(in: session) == nil)
                #expect(try first.take(in: session) == nil)
                #expect(try second.take(in: session)?.description == "host-1")
                #expect(try second.renew(in: session) == false)
                #expect(try second.isHeld(in: session) == false)
                try second.release(in: session)
                #expect(try first.isHeld(in: session))
                #expect(try first.renew(in: session))
                try first.release(in: session)
                #expect(try second.take(in: session) == nil)
            }
        }
    }

    @Test(
        "An expired lease is taken over, by the database's clock, and its old owner notices",
        arguments: Engine.available
    )
    func expiry(_ engine: Engine) async throws {
        let (dead, next) = (lease("dead", .zero), lease("next"))
        try await engine.withEmptyDatabase { database in
            try await database.onConnection { session in
                try MigrationTables.create(in: session)
                #expect(try dead.take(in: session) == nil)
            }
            // The clock moves on by at least a microsecond (a millisecond on SQLite) until the next look.
            while let holder = try await database.onConnection({ try next.take(in: $0) }) {
                #expect(holder.description == "host-dead")
            }
            try await database.onConnection { session in
                #expect(try dead.isHeld(in: session) == false)
                #expect(try dead.renew(in: session) == false)
                #expect(try MigrationLease.current(in: session)?.description == "host-next")
                let held = try MigrationLease.current(in: session)?.heldFor ?? .seconds(99)
                #expect(held >= .zero && held < .seconds(60))
            }
        }
    }

    @Test("A run waits for another one, says for whom, and gives up with exit code 7", arguments: Engine.available)
    func locked(_ engine: Engine) async throws {
        let other = lease("other")
        try await engine.withEmptyDatabase { database in
            try await database.onConnection { session in
                try MigrationTables.create(in: session)
                _ = try other.take(in: session)
            }
            let seen = Mutex<String?>(nil)
            let migrator = try Migrator(database, Self.one) { $0.lockWait = .milliseconds(100) }
            let error = await migrator.error { migrator in
                _ = try await migrator.up { progress in
                    if case .waiting(let holder, _) = progress { seen.withLock { $0 = holder } }
                }
            }
            #expect(error?.exitCode == 7)
            #expect(error?.description.contains("host-other") == true)
            #expect(seen.withLock { $0 } == "host-other")
            #expect(try await migrator.status().lockedBy == "host-other")
            #expect(try await database.onConnection { try other.isHeld(in: $0) })
            #expect(try await database.tables().isEmpty)
        }
    }

    @Test("A run takes over from a dead one once its lease has ended", arguments: Engine.available)
    func takeOver(_ engine: Engine) async throws {
        let dead = lease("dead", .milliseconds(300))
        try await engine.withEmptyDatabase { database in
            try await database.onConnection { session in
                try MigrationTables.create(in: session)
                _ = try dead.take(in: session)
            }
            #expect(try await Migrator(database, Self.one).up().map(\.version) == [1])
        }
    }

    @Test("A cancelled run stops waiting", arguments: Engine.available)
    func cancelled(_ engine: Engine) async throws {
        let other = lease("other")
        try await engine.withEmptyDatabase { database in
            try await database.onConnection { session in
                try MigrationTables.create(in: session)
                _ = try other.take(in: session)
            }
            let migrator = try Migrator(database, Self.one)
            let (waiting, isWaiting) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                await migrator.error { migrator in
                    _ = try await migrator.up { _ in isWaiting.finish() }
                }
            }
            for await _ in waiting {}
            task.cancel()
            guard case .cancelled = await task.value else {
                Issue.record("not cancelled")
                return
            }
        }
    }

    @Test("A run that has lost its lease stops before the next statement", arguments: Engine.available)
    func lost(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let up = "UPDATE migration_lock SET owner = 'somebody else';\nCREATE TABLE a (id INT NOT NULL PRIMARY KEY);"
            let migrator = try Migrator(database, files(("a", up, "DROP TABLE a;")))
            let error = await migrator.error { _ = try await $0.up() }
            #expect(error?.exitCode == 7)
            #expect(error?.description.contains("another run took over during migration 0001") == true)
            #expect(try await database.tables().isEmpty)
            #expect(try await database.ledger() == (engine == .sqlite ? [] : ["1 running 1/2"]))
        }
    }

    @Test(
        "Only the owner that status shows can be unlocked; others are refused and told who has the lock",
        arguments: Engine.available
    )
    func unlock(_ engine: Engine) async throws {
        let other = lease("other")
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.one) { $0.lockWait = .zero }
            let early = await migrator.error { try await $0.unlock(owner: "other") }
            #expect(early?.exitCode == 2)
            #expect(early?.description == "'other' does not hold the migration lock: nobody does")
            try await database.onConnection { session in
                try MigrationTables.create(in: session)
                _ = try other.take(in: session)
            }
            let wrong = await migrator.error { try await $0.unlock(owner: "host-other") }
            #expect(wrong?.exitCode == 2)
            #expect(
                wrong?.description
                    == "'host-other' does not hold the migration lock: it belongs to 'other', that is host-other"
            )
            #expect(await migrator.error { _ = try await $0.up() }?.exitCode == 7)
            let owner = try #require(try await migrator.status().lockOwner)
            try await migrator.unlock(owner: owner)
            #expect(try await migrator.status().lockOwner == nil)
            #expect(try await migrator.up().map(\.version) == [1])
            #expect(await migrator.error { try await $0.unlock(owner: owner) }?.exitCode == 2)
        }
    }

    @Test(
        "MySQL: a run that is unlocked while it works stops before its next statement",
        arguments: Engine.servers
    )
    func unlockRunning(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let statement = "UPDATE a SET id = id + 10"
            let up = "\(statement);\nCREATE TABLE b (id INT NOT NULL PRIMARY KEY);"
            let migrator = try Migrator(database, files(("a", up, "DROP TABLE b;")))
            try await database.execute("CREATE TABLE a (id INT NOT NULL PRIMARY KEY)")
            try await database.execute("INSERT INTO a VALUES (0)")
            let locks = try await database.holdingLocks(of: "SELECT id FROM a FOR UPDATE")
            async let run = migrator.error { _ = try await $0.up() }
            _ = try await database.waitUntilRunning(statement)
            let owner = try #require(try await migrator.status().lockOwner)
            try await migrator.unlock(owner: owner)
            await locks.close()
            guard case .leaseLost(version: 1) = await run else {
                Issue.record("it went on")
                return
            }
            #expect(try await database.tables() == ["a"])
            #expect(try await database.ledger() == ["1 running 1/2"])
            #expect(try await migrator.up().map(\.version) == [1], "another run goes on behind it")
            #expect(try await database.count("SELECT MAX(id) AS n FROM a") == 10)
        }
    }

    @Test("A run that is unlocked between two migrations stops before the next one", arguments: Engine.available)
    func unlockBetween(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let two =
                Self.one
                + files(("a", "SELECT 1;", "SELECT 1;"), ("b", "CREATE TABLE b (id INT);", "DROP TABLE b;")).dropFirst(
                    2
                )
            let migrator = try Migrator(database, two)
            let error = await migrator.error { migrator in
                _ = try await migrator.up { progress in
                    guard case .finished = progress else { return }
                    do {
                        let session = Session(try database.opener(.readWrite)())
                        let owner = try MigrationLease.current(in: session)?.owner ?? ""
                        #expect(try MigrationLease.release(from: owner, in: session))
                    } catch {
                        Issue.record(error)
                    }
                }
            }
            #expect(error?.exitCode == 7)
            #expect(try await database.tables() == ["a"])
            #expect(try await database.ledger() == ["1 done 1/1"])
        }
    }

    @Test(
        "MySQL: the heartbeat keeps the lease through a statement that is longer than it",
        arguments: Engine.servers
    )
    func heartbeat(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let all = files(("a", "DO SLEEP(6);\nCREATE TABLE a (id INT NOT NULL PRIMARY KEY);", "DROP TABLE a;"))
            let applied = try await withThrowingTaskGroup { group in
                for index in 0..<2 {
                    group.addTask {
                        try await Migrator(database.throughNode(index), all) { $0.leaseDuration = .seconds(4) }.up()
                            .map(\.version)
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied == [1])
            #expect(try await database.log() == ["1 up done"])
        }
    }
}
