import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

/// The program under test, as a process of its own that is gone when the test is.
struct Program: Sendable {
    /// What a process left behind.
    struct Ended: Sendable {
        let exitCode: Int32
        let output: String
        let errors: String
    }

    /// Beside the test runner's executable.
    static let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "mcp-registry")

    let output: OutputReader
    let errors: OutputReader
    private let process: ChildProcess
    private let exits = AsyncStream.makeStream(of: Int32.self)
    private let hasEnded = Mutex<Bool>.Shared(false)

    /// Runs the program to its end.
    static func run(
        _ arguments: [String],
        in folder: TemporaryFolder,
        _ environment: [String: String] = [:],
        executable: URL = executable
    ) async throws -> Ended {
        try await with(arguments, in: folder, environment, executable: executable) { try await $0.ended() }
    }

    /// Lends the running program. Nothing of the tests' own environment decides what it does.
    static func with<T>(
        _ arguments: [String],
        in folder: TemporaryFolder,
        _ environment: [String: String] = [:],
        executable: URL = executable,
        _ body: (Program) async throws -> T
    ) async throws -> T {
        try await Turnstile.pass {
            let program = try Program(executable.path, arguments, environment, folder.path)
            defer { program.signal(SIGKILL) }
            return try await body(program)
        }
    }

    private init(
        _ executable: String,
        _ arguments: [String],
        _ environment: [String: String],
        _ folder: String
    ) throws {
        (output, errors) = (try OutputReader(), try OutputReader())
        process = try ChildProcess(
            executable,
            arguments,
            // Servers end without waiting for load balancers, unless a test is about that.
            environment: ["DRAIN_SECONDS": "0"].merging(environment) { $1 },
            folder: folder,
            output: output,
            errors: errors
        )
        Thread.detachNewThread { [process, exits, hasEnded] in
            process.waitForEnd()
            let code = hasEnded.value.withLock {
                $0 = true
                return process.exitCode()
            }
            exits.continuation.yield(code)
            exits.continuation.finish()
        }
    }

    /// Whether it has not ended yet.
    var isRunning: Bool { hasEnded.value.withLock { !$0 } }

    /// Ends it as a power cut would.
    func kill() { signal(SIGKILL) }

    /// Asks it to end.
    func terminate() { signal(SIGTERM) }

    /// Never reaches another process: its id stays taken until the exit code is fetched, under the same lock.
    private func signal(_ signal: Int32) {
        hasEnded.value.withLock { if !$0 { process.signal(signal) } }
    }

    /// Waits for the end of the process and of what it writes.
    func ended() async throws -> Ended {
        let code = try #require(await exits.stream.first { _ in true })
        return Ended(exitCode: code, output: await output.all(), errors: await errors.all())
    }

    /// Waits until it listens, and gives the port.
    func port() async throws -> Int {
        let address = #"listening on http://\S+:[0-9]+[\n"]"#
        let line = await errors.text { $0.range(of: address, options: .regularExpression) }
        let port = line?.trimmingCharacters(in: ["\n", "\""]).split(separator: ":").last.flatMap { Int($0) }
        return try #require(port, "it does not listen:\n\(errors.soFar)")
    }
}
