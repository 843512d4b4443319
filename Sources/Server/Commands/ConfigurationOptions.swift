internal import ArgumentParser
internal import Foundation

/// The options that several commands share. They come before the environment, and the environment before the file.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The database: sqlite:///./dev.db or mysql://user@host:3306/database.",
            discussion:
                "Put a password into DATABASE_URL or DATABASE_URL_FILE instead: command lines are visible to others."
        )
    )
    var databaseURL: String?

    @Option(help: "A file of KEY=value lines to read settings from. (default: .env, if it is there)")
    var envFile: String?

    /// The places that settings are read from.
    func source(_ more: [String: String?] = [:]) async throws -> ConfigurationSource {
        var commandLine = more.compactMapValues { $0 }
        commandLine["DATABASE_URL"] = databaseURL
        var environment = ProcessInfo.processInfo.environment
        // A value on the command line wins over every form of the same setting.
        for key in commandLine.keys { environment[key + "_FILE"] = nil }
        return try await ConfigurationSource(commandLine: commandLine, environment: environment, file: envFile)
    }
}

/// Turns an error of the configuration into the command's failure.
func configured<T>(_ body: () async throws -> T) async throws -> T {
    do {
        return try await body()
    } catch let error as ConfigurationError {
        throw CommandFailure(message: error.message, exitCode: 2)
    }
}
