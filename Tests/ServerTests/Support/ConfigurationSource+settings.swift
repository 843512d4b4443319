@testable import Server

extension ConfigurationSource {
    /// Settings that only the test decides.
    static func settings(
        _ environment: [String: String] = [:],
        commandLine: [String: String] = [:],
        file: String = ""
    ) async throws -> ConfigurationSource {
        try await TemporaryFolder.with { folder in
            try ConfigurationSource(
                commandLine: commandLine,
                environment: environment,
                file: try folder.write("settings", file)
            )
        }
    }
}
