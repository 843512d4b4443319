internal import ArgumentParser
internal import Foundation
internal import MCP

/// The program: `mcp-registry serve | migrate | api-keys | keys | audit | discover | import-original`.
@main
struct MCPRegistryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp-registry",
        abstract: "A registry of MCP services, the tools that roles may use, and users' encrypted tokens.",
        version: Version.current,
        subcommands: [
            ServeCommand.self, MigrateCommand.self, APIKeysCommand.self, KeysCommand.self, AuditCommand.self,
            DiscoverCommand.self, ImportOriginalCommand.self,
        ]
    )

    /// Runs the named command. Exit codes: 0 all done, 2 wrong usage, else what the command's error says (1 by default).
    static func main() async {
        ProcessHygiene.turnOffCoreDumps()
        endProcess(await run())
    }

    private static func run() async -> Int32 {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch let code as ExitCode {
            // What there is to say stands on standard output already.
            return code.rawValue
        } catch let failure as CommandFailure {
            standardError("mcp-registry: \(failure.message)")
            return failure.exitCode
        } catch {
            // ArgumentParser: help and version go to standard output with code 0, its own usage errors have code 64.
            let code = exitCode(for: error)
            guard code != .success else {
                try? standardOutput(fullMessage(for: error))
                return 0
            }
            let exitCode = code == .validationFailure ? 2 : code.rawValue
            let arguments = CommandLine.arguments.dropFirst()
            if arguments.first == MigrateCommand.configuration.commandName, arguments.contains("--json") {
                try? standardOutput(CommandFailure(message: message(for: error), exitCode: exitCode).json.text)
            }
            standardError(fullMessage(for: error))
            return exitCode
        }
    }
}

/// The version of this program, noted with each migration it applies.
enum Version {
    static let current = "1.0.0"
}

/// Why a command ended without doing its work: one sentence and an exit code.
struct CommandFailure: Error {
    var message: String
    var exitCode: Int32 = 1

    /// The same for programs.
    var json: JSONValue {
        ["error": .string(message), "exit_code": .integer(Int64(exitCode))]
    }
}

/// Ends the process at once, whatever its threads are doing, and lets no library tidy up after itself: OpenSSL frees at exit what
/// the thread of a database connection that ends at the same moment still frees too.
func endProcess(_ exitCode: Int32) -> Never {
    LogWriter.standardError.flushAtEnd()
    fflush(nil)
    _exit(exitCode)
}

/// Writes a line to standard error.
func standardError(_ line: String) {
    LogWriter.standardError.write(Array(line.utf8))
    LogWriter.standardError.flush()
}

/// Writes a line to standard output.
///
/// - Throws: ``CommandFailure`` when it can't be written, for instance since the disk is full.
func standardOutput(_ line: String) throws(CommandFailure) {
    do {
        try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
    } catch {
        throw CommandFailure(message: "standard output can't be written to: \(error.localizedDescription)")
    }
}
