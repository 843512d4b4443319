internal import ArgumentParser
internal import DBDriver
internal import Logging
internal import MCP
internal import Migrations
internal import Synchronization

/// `mcp-registry migrate …`: data goes to standard output, what happens meanwhile to standard error.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database's schema to the version of this program, or back.",
        discussion: """
            Exit codes: 0 done or nothing to do, 1 error, 2 wrong usage or configuration, 3 a file differs from what was \
            applied, 4 a migration is half applied, 7 another run holds the lock, 8 the database can't be reached.
            """,
        subcommands: [Up.self, Down.self, Status.self, Resolve.self]
    )

    /// `mcp-registry migrate up`
    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Apply what is not applied yet.")

        @OptionGroup var options: ConfigurationOptions

        @Option(help: "The last version to apply. (default: all)")
        var to: Int?

        func run() async throws {
            let migrator = try await Self.migrator(options, createIfMissing: true)
            let done = try await Self.run { () async throws(MigrationError) in
                try await migrator.up(to: to, progress: ProgressReport().tell)
            }
            print(done.isEmpty ? "nothing to do: the schema is up to date" : "applied \(done.count) migration(s)")
        }
    }

    /// `mcp-registry migrate down`
    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take back every migration above a version. Destroys data."
        )

        @OptionGroup var options: ConfigurationOptions

        @Option(help: "The version to go back to; 0 takes back all.")
        var to: Int

        @Flag(help: "Yes, destroy the data that these migrations hold.")
        var yes = false

        func validate() throws {
            guard yes else { throw ValidationError("down destroys data: say --yes if that is what you want") }
            guard to >= 0 else { throw ValidationError("--to must be 0 or more") }
        }

        func run() async throws {
            let migrator = try await Self.migrator(options, createIfMissing: false)
            let done = try await Self.run { () async throws(MigrationError) in
                try await migrator.down(to: to, progress: ProgressReport().tell)
            }
            print(done.isEmpty ? "nothing to do" : "took back \(done.count) migration(s)")
        }
    }

    /// `mcp-registry migrate resolve`
    struct Resolve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whether the statement at which a half-applied migration stopped has taken effect.",
            discussion: "migrate up and down name the statement when they can't decide it themselves."
        )

        @OptionGroup var options: ConfigurationOptions

        @Argument(help: "The migration's version.")
        var version: Int

        @Option(help: "The number of the statement, counted from 1.")
        var statement: Int

        @Flag(help: "Whether it has taken effect in the database.")
        var outcome: Outcome

        enum Outcome: String, EnumerableFlag {
            case done
            case notDone
        }

        func run() async throws {
            let migrator = try await Self.migrator(options, createIfMissing: false)
            try await Self.run { () async throws(MigrationError) in
                try await migrator.resolve(version: version, statement: statement, isDone: outcome == .done)
            }
            print("noted: statement \(statement) of migration \(version) is \(outcome == .done ? "done" : "not done")")
        }
    }

    /// `mcp-registry migrate status`
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show which migrations are applied. Changes nothing.")

        @OptionGroup var options: ConfigurationOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let migrator = try await Self.migrator(options, createIfMissing: false)
            let status = try await Self.run { () async throws(MigrationError) in try await migrator.status() }
            print(json ? status.json.text : status.table)
        }
    }
}

extension AsyncParsableCommand {
    /// A migrator over the configured database and the migrations inside this program.
    fileprivate static func migrator(_ options: ConfigurationOptions, createIfMissing: Bool) async throws -> Migrator {
        let database = try configured {
            try options.source().database(createIfMissing: createIfMissing)
        }
        return try await run { () async throws(MigrationError) in
            try Migrator(
                database,
                logger: Logger(label: "migrate", factory: { StreamLogHandler.standardError(label: $0) })
            )
        }
    }

    /// Runs a step, and turns its error into the command's failure with the error's exit code.
    fileprivate static func run<T>(_ body: () async throws(MigrationError) -> T) async throws -> T {
        do throws(MigrationError) {
            return try await body()
        } catch {
            throw CommandFailure(message: "\(error)", exitCode: error.exitCode)
        }
    }
}

extension Migrator {
    /// A migrator over the migrations inside this program.
    init(_ database: DatabaseConfiguration, logger: Logger) throws(MigrationError) {
        var options = Options()
        options.appVersion = Version.current
        self.init(
            database,
            folder: try MigrationFolder(files: BundledMigrations.files, dialect: database.dialect),
            options: options,
            logger: logger
        )
    }
}

/// Tells the progress of a run on standard error: a line for each step, and every 5 s who is waited for.
final class ProgressReport: Sendable {
    private let lastWait = Mutex<ContinuousClock.Instant?>(nil)

    func tell(_ progress: MigrationProgress) {
        switch progress {
        case .waiting(let holder, let age): tellWaiting(holder, age)
        case .begun(let label, let direction, let done, let statements, _):
            standardError("\(label) \(direction): \(statements - done) of \(statements) statements to run")
        case .statement(let label, let number, let statements, _):
            standardError("\(label): statement \(number) of \(statements)")
        case .foundDone(let label, let number):
            standardError("\(label): statement \(number) turned out to be done already")
        case .finished(let migration):
            standardError("\(migration.label) \(migration.direction): done in \(migration.milliseconds) ms")
        case .reconnecting:
            standardError("the connection was lost, connecting again")
        }
    }

    func tellWaiting(_ holder: String, _ age: Duration) {
        let isDue = lastWait.withLock { last in
            let now = ContinuousClock.now
            if let last, now - last < .seconds(5) { return false }
            last = now
            return true
        }
        guard isDue else { return }
        standardError(
            "waiting for \(holder), which took the migration lock \(age.components.seconds) s ago; "
                + "the lock of a process that died ends by itself within a minute"
        )
    }
}

extension MigrationStatus {
    fileprivate var json: JSONValue {
        [
            "schema": .string(schema.advice(command: "mcp-registry migrate") ?? "up to date"),
            "is_current": .bool(schema == .current),
            "locked_by": lockedBy.map(JSONValue.string) ?? .null,
            "migrations": .array(
                entries.map { entry in
                    [
                        "version": .integer(Int64(entry.version)),
                        "name": .string(entry.name),
                        "state": .string(entry.state.rawValue),
                        "statement_done": entry.statementDone.map { .integer(Int64($0)) } ?? .null,
                        "statements": entry.statements.map { .integer(Int64($0)) } ?? .null,
                        "finished_at_microseconds": entry.finishedAt.map { .integer($0.microseconds) } ?? .null,
                        "milliseconds": entry.milliseconds.map(JSONValue.integer) ?? .null,
                        "app_version": entry.appVersion.map(JSONValue.string) ?? .null,
                        "error": entry.error.map(JSONValue.string) ?? .null,
                    ]
                }
            ),
        ]
    }

    fileprivate var table: String {
        var lines = entries.map { entry in
            let version = String("000\(entry.version)".suffix(4))
            let progress =
                [.running, .failed].contains(entry.state)
                ? " (statement \(entry.statementDone ?? 0) of \(entry.statements ?? 0) done)" : ""
            return "\(version)  \(entry.state.rawValue)  \(entry.name)\(progress)"
        }
        if let lockedBy { lines.append("locked by \(lockedBy)") }
        lines.append(schema.advice(command: "mcp-registry migrate") ?? "the schema is up to date")
        return lines.joined(separator: "\n")
    }
}
