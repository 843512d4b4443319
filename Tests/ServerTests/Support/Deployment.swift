import DBDriver
import Foundation
import HTTPTypes
import Registry
import TestSupport
import Testing

@testable import Server

/// A folder and a database for processes of the program, with what they need to serve.
struct Deployment: Sendable {
    static let adminToken = "correct-horse-battery-staple"

    let folder: TemporaryFolder
    let databaseURL: String
    let key = Data(KeyRing.generateKey()).base64EncodedString()

    /// Settings of a production server on any free port of loopback.
    var settings: [String: String] {
        [
            "DATABASE_URL": databaseURL, "REGISTRY_ADMIN_TOKEN": Self.adminToken,
            "REGISTRY_KEYRING": #"{"active":3,"keys":{"3":"\#(key)"}}"#,
            "MCP_HOST": "127.0.0.1", "MCP_PORT": "0", "DISCOVERY_ALLOW_PRIVATE": "true",
        ]
    }

    /// Lends a folder and an empty database.
    static func with(_ engine: Engine, _ body: @Sendable (Deployment) async throws -> Void) async throws {
        try await engine.withEmptyDatabase { configuration in
            try await TemporaryFolder.with { folder in
                try await body(Deployment(folder: folder, databaseURL: url(of: configuration)))
            }
        }
    }

    static func url(of configuration: DatabaseConfiguration) -> String {
        switch configuration.engine {
        case .sqlite(let sqlite): "sqlite:///\(sqlite.path)"
        case .mysql(let mysql):
            "mysql+pymysql://\(mysql.user):\(mysql.password)@\(hosts(of: mysql))/\(mysql.database)"
        }
    }

    private static func hosts(of mysql: MySQLConfiguration) -> String {
        mysql.hosts.map { "\($0.name):\($0.port)" }.joined(separator: ",")
    }

    /// Runs a command of the program on the database to its end.
    func run(_ arguments: String..., settings more: [String: String] = [:]) async throws -> Program.Ended {
        try await Program.run(arguments, in: folder, settings.merging(more) { $1 })
    }

    /// Migrates, and lends a running server with a connection to it; then asks it to end and expects that it does.
    func serve(
        settings more: [String: String] = [:],
        _ body: @escaping @Sendable (Program, HTTPConnection) async throws -> Void
    ) async throws {
        try await Program.with(["serve"], in: folder, settings.merging(more) { $1 }) { program in
            let headers: HTTPFields = [.authorization: "Bearer \(Self.adminToken)"]
            try await HTTPConnection.with("127.0.0.1", try await program.port(), headers: headers) { connection in
                try await body(program, connection)
            }
            program.terminate()
            let ended = try await program.ended()
            #expect(ended.exitCode == 0, "\(ended.errors)")
        }
    }
}
