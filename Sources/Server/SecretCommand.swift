internal import Foundation

/// Asks a program for a secret, such as the client of a secret store.
enum SecretCommand {
    /// How long it may take: 30 s.
    private static let secondsMax = 30.0
    /// How much it may print: 64 KiB.
    private static let bytesMax = 65_536

    /// What a shell command prints, without the white space around it. Its standard error goes where the server's does.
    ///
    /// - Parameters:
    ///   - command: for `/bin/sh -c`.
    ///   - key: the setting that names it.
    /// - Returns: the text; never empty.
    /// - Throws: ``ConfigurationError``, which never repeats what it printed.
    static func output(of command: String, key: String) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", command]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        let alarm = Task {
            try await Task.sleep(for: .seconds(secondsMax))
            process.terminate()
        }
        defer { alarm.cancel() }
        let data: Data
        do {
            try process.run()
            data = try output.fileHandleForReading.read(upToCount: bytesMax) ?? Data()
        } catch {
            throw ConfigurationError(message: "\(key) can't be run")
        }
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw ConfigurationError(
                message: "\(key) ended with \(process.terminationStatus), or took more than \(Int(secondsMax)) s"
            )
        }
        guard let text = String(bytes: data, encoding: .utf8)?.trimmingCharacters(in: .whitespacesAndNewlines),
            !text.isEmpty
        else {
            throw ConfigurationError(message: "\(key) printed nothing that can be used")
        }
        return text
    }
}
