internal import Configuration
internal import DBDriver
internal import Foundation
internal import Logging
internal import Registry
internal import SystemPackage

/// Everything that can be set, read strictly: a malformed value is an error that names its key, never the default.
///
/// Precedence: command line, environment, the file named by `--env-file` (`.env` by default, and only if it is there),
/// default. Each secret may also be given as `…_FILE`, the path of a file that holds it. An empty value counts as absent.
///
/// ## Configuration keys
/// - `DATABASE_URL` (secret, default `sqlite:///./dev.db`): see ``DatabaseConfiguration``.
/// - `MCP_HOST` (default `0.0.0.0`; with `--dev` `127.0.0.1`): the address to listen on.
/// - `MCP_PORT` (0…65535, default 8000): the port; 0 for any free one.
/// - `REGISTRY_ADMIN_TOKEN` (secret, at least 16 characters): what callers send as `Authorization: Bearer …`.
/// - `REGISTRY_KEYRING` (secret): the key ring as JSON; see ``KeyRingSource``.
/// - `REGISTRY_KEY` (secret): a single key in base64, instead of a ring.
/// - `AGENT_REREAD_HOOK` (secret, URL): fetched after each change of the catalogue.
/// - `TOOLS_WITHOUT_ROLES` (`denied` or `allowed`, default `denied`): who may use a tool that no role is attached to.
/// - `LOG_LEVEL` (`trace`, `debug`, `info`, `notice`, `warning`, `error`; default `info`).
struct ServerConfiguration: Sendable {
    static let defaultDatabaseURL = "sqlite:///./dev.db"
    static let adminTokenCharactersMin = 16

    var database: DatabaseConfiguration
    var host: String
    var port: Int
    var adminToken: Secret?
    var keyRing: KeyRing?
    var rereadHook: URL?
    var toolsWithoutRoles: MCPRegistry.ToolsWithoutRoles
    var logLevel: Logger.Level
}

/// Why the configuration can't be used: one line that names the key and no secret value.
struct ConfigurationError: Error, Equatable {
    var message: String
}

/// Reads keys one by one from all the places they may be set in.
struct ConfigurationSource: Sendable {
    private let reader: ConfigReader

    /// - Parameters:
    ///   - commandLine: values of options, by the key they stand for (`MCP_PORT`).
    ///   - environment: the process's environment.
    ///   - file: an environment file; nil for `.env`, which may be missing.
    /// - Throws: ``ConfigurationError`` when the named file can't be read.
    init(commandLine: [String: String], environment: [String: String], file: String?) async throws {
        let fromFile: EnvironmentVariablesProvider
        do {
            fromFile = try await EnvironmentVariablesProvider(
                environmentFilePath: FilePath(file ?? ".env"),
                allowMissing: file == nil
            )
        } catch {
            throw ConfigurationError(message: "the file \(file ?? ".env") can't be read")
        }
        reader = ConfigReader(providers: [
            EnvironmentVariablesProvider(environmentVariables: commandLine),
            EnvironmentVariablesProvider(environmentVariables: environment.filter { !$0.value.isEmpty }),
            fromFile,
        ])
    }

    /// A text; nil when the key is not set, or empty.
    func text(_ key: String) async throws -> String? {
        let text = try await reader.fetchString(forKey: configKey(key), isSecret: true)
        return text?.isEmpty == true ? nil : text
    }

    /// A whole number within bounds.
    func number(_ key: String, default standard: Int, _ bounds: ClosedRange<Int>) async throws -> Int {
        guard let text = try await text(key) else { return standard }
        guard let number = Int(text), bounds.contains(number) else {
            throw ConfigurationError(
                message: "\(key)=\(text) is no whole number from \(bounds.lowerBound) to \(bounds.upperBound)"
            )
        }
        return number
    }

    /// One of the raw values of an enumeration.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String,
        default standard: Choice
    ) async throws -> Choice where Choice.RawValue == String {
        guard let text = try await text(key) else { return standard }
        guard let choice = Choice(rawValue: text) else {
            let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError(message: "\(key)=\(text) is none of: \(all)")
        }
        return choice
    }

    /// A secret, given itself or as `…_FILE`.
    func secret(_ key: String) async throws -> String? {
        let path = try await text(key + "_FILE")
        let own = try await text(key)
        guard let path else { return own }
        guard own == nil else { throw ConfigurationError(message: "\(key) and \(key)_FILE are both set: use one") }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError(message: "\(key)_FILE=\(path) can't be read")
        }
        guard let text = String(bytes: data, encoding: .utf8) else {
            throw ConfigurationError(message: "\(key)_FILE=\(path) does not hold UTF-8 text")
        }
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !trimmed.isEmpty else { throw ConfigurationError(message: "\(key)_FILE=\(path) is empty") }
        return trimmed
    }

    /// `MCP_PORT` is the key `mcp.port` of the library, which writes it back with underscores.
    private func configKey(_ key: String) -> ConfigKey {
        ConfigKey(key.lowercased().split(separator: "_").map(String.init))
    }
}

extension ConfigurationSource {
    /// The database's address, for every command.
    func database(createIfMissing: Bool) async throws -> DatabaseConfiguration {
        let url = try await secret("DATABASE_URL") ?? ServerConfiguration.defaultDatabaseURL
        do {
            var configuration = try DatabaseConfiguration(url: url)
            if case .sqlite(var sqlite) = configuration.engine {
                sqlite.createIfMissing = createIfMissing
                configuration.engine = .sqlite(sqlite)
            }
            return configuration
        } catch {
            throw ConfigurationError(message: "DATABASE_URL \(error)")
        }
    }

    /// What `serve` needs.
    func server(isDevelopment: Bool) async throws -> ServerConfiguration {
        ServerConfiguration(
            database: try await database(createIfMissing: isDevelopment),
            host: try await text("MCP_HOST") ?? (isDevelopment ? "127.0.0.1" : "0.0.0.0"),
            port: try await number("MCP_PORT", default: 8_000, 0...65_535),
            adminToken: try await adminToken(),
            keyRing: try await KeyRingSource.configured(self),
            rereadHook: try await rereadHook(),
            toolsWithoutRoles: try await choice("TOOLS_WITHOUT_ROLES", default: .denied),
            logLevel: try await choice("LOG_LEVEL", default: .info)
        )
    }

    private func adminToken() async throws -> Secret? {
        guard let token = try await secret("REGISTRY_ADMIN_TOKEN") else { return nil }
        let isSendable = token.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        guard isSendable, token.utf8.count >= ServerConfiguration.adminTokenCharactersMin else {
            throw ConfigurationError(
                message: "REGISTRY_ADMIN_TOKEN must be at least \(ServerConfiguration.adminTokenCharactersMin) "
                    + "printable ASCII characters without blanks; make one with: openssl rand -base64 32"
            )
        }
        return Secret(token)
    }

    private func rereadHook() async throws -> URL? {
        guard let text = try await secret("AGENT_REREAD_HOOK") else { return nil }
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme?.lowercased()), url.host() != nil
        else {
            throw ConfigurationError(message: "AGENT_REREAD_HOOK is no http or https URL")
        }
        return url
    }
}
