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

    @Option(help: "A file that holds the database's URL.")
    var dsnFile: String?

    @Option(help: "A file of KEY=value lines to read settings from. (default: .env, if it is there)")
    var envFile: String?

    /// The places that settings are read from.
    func source(_ more: [String: String?] = [:]) throws -> ConfigurationSource {
        var commandLine = more.compactMapValues { $0 }
        commandLine["DATABASE_URL"] = databaseURL
        commandLine["DATABASE_URL_FILE"] = dsnFile
        return try ConfigurationSource(
            commandLine: commandLine,
            environment: ProcessInfo.processInfo.environment,
            file: envFile
        )
    }
}

/// Turns an error of the configuration into the command's failure.
func configured<T>(_ body: () throws -> T) throws -> T {
    do {
        return try body()
    } catch let error as ConfigurationError {
        throw CommandFailure(message: error.message, exitCode: 2)
    }
}
