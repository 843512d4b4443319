internal import ArgumentParser
internal import DBDriver
internal import Foundation
internal import Logging
internal import MCP
internal import Registry

/// `mcp-registry import-original`
struct ImportOriginalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import-original",
        abstract: "Bring the database of the original registry (written in Python) over into this one.",
        discussion: """
            Reads services, tools, roles, users and tokens from SQLite, MariaDB or MySQL and changes nothing there. Writes \
            into DATABASE_URL, which must be migrated, and encrypts the tokens with the key ring (REGISTRY_KEY or \
            REGISTRY_KEYRING). What is here already is left alone, so an import that was cut off is simply run again. \
            Standard output has a report of what could not be brought over, and why.

            Ends with 0 when the import is done, even if the report names things that could not be brought over (with \
            --strict then 1); 1 error, 2 wrong usage or configuration, 6 when this registry's database is not migrated, 8 \
            when one of the databases can't be reached.
            """
    )

    @OptionGroup var options: ConfigurationOptions

    @Option(
        help: ArgumentHelp(
            "The original's DATABASE_URL: sqlite:///./dev.db or mysql+pymysql://user@host:3306/database.",
            discussion:
                "Command lines are visible to others: put a URL with a password into --from-file, IMPORT_FROM_URL or IMPORT_FROM_URL_FILE."
        )
    )
    var from: String?

    @Option(help: "A file that holds the original's DATABASE_URL.")
    var fromFile: String?

    @Flag(help: "Read and check everything and print the report, but write nothing.")
    var dryRun = false

    @Flag(help: "Print the report as JSON, errors too.")
    var json = false

    @Flag(help: "End with 1 when anything could not be brought over.")
    var strict = false

    func run() async throws {
        do {
            let report = try await report()
            try standardOutput(json ? report.json(isDryRun: dryRun).text : report.text)
            if dryRun { standardError("a dry run: nothing was written") }
            if strict, !report.isComplete { throw ExitCode(1) }
        } catch let failure as CommandFailure {
            if json { try? standardOutput(failure.json.text) }
            throw failure
        }
    }

    private func report() async throws -> ImportReport {
        let (source, target, ring, level) = try configured {
            let settings = try options.source(["IMPORT_FROM_URL": from, "IMPORT_FROM_URL_FILE": fromFile])
            guard let ring = try KeyRingSource.configured(settings) else {
                throw ConfigurationError(
                    message:
                        "no key ring is configured to encrypt the tokens with: set REGISTRY_KEY or REGISTRY_KEYRING, "
                        + "the same as for serve"
                )
            }
            return (
                try settings.original(), try settings.database(createIfMissing: false), ring,
                try settings.choice("LOG_LEVEL", default: Logger.Level.warning)
            )
        }
        let logger = LogFormat.text.logger(level)
        let original = Database(source, logger: logger)
        do {
            let report = try await target.withRegistry(ring, notesKeys: !dryRun, logger) {
                registry async throws(RegistryError) in
                try await Self.carry(original, into: registry, isDryRun: dryRun)
            }
            await original.shutDown()
            return report
        } catch {
            await original.shutDown()
            throw error
        }
    }

    private static func carry(
        _ source: Database,
        into registry: MCPRegistry,
        isDryRun: Bool
    ) async throws(RegistryError) -> ImportReport {
        let line = ProgressLine(isTerminal: isatty(STDERR_FILENO) == 1) { text in
            FileHandle.standardError.write(Data(text.utf8))
        }
        do throws(RegistryError) {
            let original = try await OriginalDatabase(source)
            let report = try await registry.importOriginal(original, isDryRun: isDryRun) {
                line.tell($0.done, of: $0.total, $0.kind.plural)
            }
            line.end("read")
            return report
        } catch {
            line.end("stopped after")
            throw error
        }
    }
}

extension ConfigurationSource {
    /// Where the original's database is.
    func original() throws -> DatabaseConfiguration {
        guard let (key, url) = try secret("IMPORT_FROM_URL") else {
            throw ConfigurationError(
                message: "say where the original's database is: --from URL, --from-file FILE or IMPORT_FROM_URL"
            )
        }
        do {
            var configuration = try DatabaseConfiguration(url: url)
            if case .sqlite(let sqlite) = configuration.engine, sqlite.path == ":memory:" {
                throw ConfigurationError(message: "\(key) names no file")
            }
            configuration.isReadOnly = true
            return configuration
        } catch let error as DatabaseURLError {
            throw ConfigurationError(message: "\(key) \(error)")
        }
    }
}
