internal import ArgumentParser
internal import DBDriver
internal import Foundation
internal import Logging
internal import MCP
internal import Migrations
internal import Registry
internal import UnixSignals

/// What all commands of `migrate` share.
struct MigrateOptions: ParsableArguments {
    /// The most that `--timeout`, `--lock-wait` and `--ddl-wait` may be: a day.
    static let secondsMax = 86_400

    @OptionGroup var configuration: ConfigurationOptions

    @Option(help: "A folder of migrations to use instead of those inside this program.")
    var dir: String?

    @Flag(help: "Print JSON, errors too.")
    var json = false

    @Option(
        help: """
            Seconds after which to give up: before the next statement, since a running one is not cut off. \
            (default: no limit)
            """
    )
    var timeout: Int?

    func validate() throws {
        try Self.check(timeout, "--timeout")
    }

    /// - Throws: for a number of seconds that is out of bounds.
    static func check(_ seconds: Int?, _ option: String) throws {
        guard (0...secondsMax).contains(seconds ?? 0) else {
            throw ValidationError("\(option) takes 0 to \(secondsMax) seconds")
        }
    }

    /// What a command does about a SQLite file that is not there.
    enum MissingFile {
        case fail
        case create
        /// Works as if it were there and empty, and makes none.
        case takeForEmpty
    }

    /// Lends a migrator on the configured database.
    ///
    /// - Parameters:
    ///   - missing: what to do about a SQLite file that is not there.
    ///   - configure: what the command's own options change.
    ///   - body: the work.
    /// - Returns: what the body returns.
    /// - Throws: ``CommandFailure`` with the exit code of a ``MigrationError``, 7 when `--timeout` is over.
    func run<T: Sendable>(
        missing: MissingFile = .fail,
        _ configure: (inout Migrator.Options) -> Void = { _ in },
        _ body: @escaping @Sendable (Migrator) async throws(MigrationError) -> T
    ) async throws -> T {
        var database = try configured { () throws in
            try configuration.source().migrationDatabase(createIfMissing: missing == .create)
        }
        if missing == .takeForEmpty, case .sqlite(let sqlite) = database.engine,
            !FileManager.default.fileExists(atPath: sqlite.path)
        {
            database.engine = .sqlite(SQLiteConfiguration(path: ":memory:"))
        }
        let files = try files()
        var options = Migrator.Options.ofThisProgram
        configure(&options)
        let start = ContinuousClock.now
        do throws(MigrationError) {
            let migrator = Migrator(
                database,
                folder: try MigrationFolder(files: files, dialect: database.dialect),
                options: options,
                logger: Logger(label: "migrate", factory: { StreamLogHandler.standardError(label: $0) })
            )
            return try await untilStopped { () async throws(MigrationError) in try await body(migrator) }
        } catch {
            if case .database(let cause) = error, cause.kind == .unavailable,
                case .sqlite(let sqlite) = database.engine,
                !FileManager.default.fileExists(atPath: sqlite.path)
            {
                throw failure(Self.missingFile(sqlite.path), 8)
            }
            if case .cancelled = error, let timeout, ContinuousClock.now - start >= .seconds(timeout) {
                throw failure("gave up after \(timeout) s: what was finished stays applied", 7)
            }
            throw failure("\(error)", error.exitCode)
        }
    }

    private static func missingFile(_ path: String) -> String {
        let folder = URL(filePath: path).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder) else {
            return "there is no folder \(folder) for the database file \(path)"
        }
        return FileManager.default.isWritableFile(atPath: folder)
            ? "there is no database file \(path): make it with `mcp-registry migrate up`"
            : "there is no database file \(path), and its folder may not be written to"
    }

    /// The files in `--dir`, or those inside this program.
    func files() throws -> [(path: String, text: String)] {
        try configured { () throws in try dir.map(MigrationFiles.read) ?? BundledMigrations.files }
    }

    /// Turns an error of the configuration into the command's failure.
    func configured<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as ConfigurationError {
            throw failure(error.message, 2)
        } catch let error as MigrationError {
            throw failure("\(error)", error.exitCode)
        }
    }

    /// Prints what a command has to say, for people or for programs.
    func show(_ text: String, _ json: JSONValue) throws {
        try standardOutput(self.json ? json.text : text)
    }

    /// The command's failure; with `--json` standard output tells it too.
    func failure(_ message: String, _ exitCode: Int32) -> CommandFailure {
        let failure = CommandFailure(message: message, exitCode: exitCode)
        if json { try? standardOutput(failure.json.text) }
        return failure
    }

    /// Runs the body, and cancels it when `--timeout` is over or a signal says so; a second one ends the process.
    private func untilStopped<T: Sendable>(
        _ body: @escaping @Sendable () async throws(MigrationError) -> T
    ) async throws(MigrationError) -> T {
        let work = Task { () async -> Result<T, MigrationError> in
            do throws(MigrationError) {
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        }
        let signals = Task {
            for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
                guard !work.isCancelled else { endProcess(1) }
                standardError("mcp-registry: told to stop: waiting for the running statement")
                work.cancel()
            }
        }
        let alarm = Task { [timeout] in
            guard let timeout else { return }
            try await Task.sleep(for: .seconds(timeout))
            work.cancel()
        }
        defer {
            alarm.cancel()
            signals.cancel()
        }
        return try await work.value.get()
    }
}

extension Migrator.Options {
    /// This program's version, and its way to ask which servers run.
    static var ofThisProgram: Migrator.Options {
        var options = Migrator.Options()
        options.appVersion = Version.current
        options.holder = "\(NSUserName())@\(options.holder)"
        options.instances = { level, session throws(DatabaseError) in
            try AppInstance.alive(below: level, in: session)
        }
        return options
    }
}
