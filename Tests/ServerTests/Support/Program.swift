import Foundation
import Glibc
import Synchronization
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

    let output = OutputReader()
    let errors = OutputReader()
    private let process = Process()
    private let exits = AsyncStream.makeStream(of: Int32.self)

    /// Runs the program to its end.
    static func run(
        _ arguments: [String],
        in folder: TemporaryFolder,
        _ environment: [String: String] = [:],
        executable: URL = executable
    ) async throws -> Ended {
        try await with(arguments, in: folder, environment, executable: executable) { try await $0.ended() }
    }

    /// Lends the running program.
    static func with<T>(
        _ arguments: [String],
        in folder: TemporaryFolder,
        _ environment: [String: String] = [:],
        executable: URL = executable,
        _ body: (Program) async throws -> T
    ) async throws -> T {
        let program = Program()
        try program.start(arguments, folder, environment, executable)
        defer { if program.process.isRunning { kill(program.process.processIdentifier, SIGKILL) } }
        return try await body(program)
    }

    private func start(
        _ arguments: [String],
        _ folder: TemporaryFolder,
        _ environment: [String: String],
        _ executable: URL
    ) throws {
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = folder.url
        // Nothing of the tests' own environment may decide anything.
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output.pipe
        process.standardError = errors.pipe
        process.terminationHandler = { [exits] process in
            exits.continuation.yield(process.terminationStatus)
            exits.continuation.finish()
        }
        try process.run()
    }

    /// Whether it has not ended yet.
    var isRunning: Bool { process.isRunning }

    /// Asks it to end: SIGTERM.
    func terminate() { process.terminate() }

    /// Waits for the end of the process and of what it writes.
    func ended() async throws -> Ended {
        let code = try #require(await exits.stream.first { _ in true })
        return Ended(exitCode: code, output: await output.all(), errors: await errors.all())
    }

    /// Waits until it listens, and gives the port.
    func port() async throws -> Int {
        let line = try await errors.text {
            $0.range(of: #"listening on http://\S+:[0-9]+\n"#, options: .regularExpression)
        }
        return try #require(Int(line.trimmingCharacters(in: .newlines).split(separator: ":").last ?? ""))
    }
}

/// Collects what a process writes.
final class OutputReader: Sendable {
    /// Where the process writes to.
    let pipe = Pipe()

    private let data = Mutex<Data>.Shared(Data())
    private let arrivals = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init() {
        pipe.fileHandleForReading.readabilityHandler = { [data, arrivals] handle in
            let piece = handle.availableData
            guard !piece.isEmpty else {
                handle.readabilityHandler = nil
                return arrivals.continuation.finish()
            }
            data.value.withLock { $0.append(piece) }
            arrivals.continuation.yield()
        }
    }

    /// What has been written so far.
    var soFar: String { data.value.withLock { String(decoding: $0, as: UTF8.self) } }

    /// Waits until the text holds what is looked for, and gives that part of it.
    func text(_ find: (String) -> Range<String.Index>?) async throws -> String {
        while true {
            let text = soFar
            if let range = find(text) { return String(text[range]) }
            try #require(await arrivals.stream.first { _ in true } != nil, "it ended with:\n\(soFar)")
        }
    }

    /// Waits until nothing more can come.
    func all() async -> String {
        for await _ in arrivals.stream {}
        return soFar
    }
}
