import DBDriver
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Migrations
import NIOCore
import Registry
import TestSupport
import Testing

@testable import Server

/// A registry on a throw-away database behind real HTTP.
///
/// All requests go over one connection that is never opened again: whatever a test sends, its next request shows that the
/// connection was kept.
struct TestServer: Sendable {
    /// How the server differs from the usual one.
    struct Options: Sendable {
        var adminToken: String?
        var hasKeyRing = true
        var toolsWithoutRoles = MCPRegistry.ToolsWithoutRoles.denied
        var origins = OriginPolicy(hosts: nil)
    }

    let database: Database
    let discovery: StubDiscovery
    let hook: CountingHook
    let port: Int
    private let http: TestClient

    /// Runs `body` beside a server on a migrated database.
    static func run(
        _ engine: Engine,
        _ options: Options = Options(),
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        try await engine.withDatabase { database in
            let folder = try MigrationFolder(files: BundledMigrations.files, dialect: database.dialect)
            _ = try await Migrator(database.configuration, folder: folder, logger: quietLogger).up()
            let (discovery, hook) = (StubDiscovery(), CountingHook())
            let registry = MCPRegistry(
                database: database,
                vault: options.hasKeyRing ? TokenVault(ring: try .single(KeyRing.generateKey())) : nil,
                discovery: discovery,
                hook: hook,
                toolsWithoutRoles: options.toolsWithoutRoles,
                logger: quietLogger
            )
            let table = RouteTable(
                ProbeRoutes.routes(database, folder) + AgentRoutes.routes(registry)
                    + AdminRoutes.routes(registry) + [MCPRoute.route(ToolCatalog(registry, logger: quietLogger))],
                access: AccessControl(adminToken: options.adminToken.map { Secret($0) }),
                origins: options.origins
            )
            let application = Hummingbird.Application(responder: table, logger: quietLogger)
            try await application.test(.live) { client in
                let port = try #require(client.port)
                try await TestClient.withClient(host: "localhost", port: port) { http in
                    try await body(
                        TestServer(database: database, discovery: discovery, hook: hook, port: port, http: http)
                    )
                }
            }
        }
    }

    /// Sends a request on the one connection.
    ///
    /// - Parameters:
    ///   - body: nil for a request without a body.
    ///   - host: the `Host` field; nil for none.
    func send(
        _ method: String,
        _ path: String,
        _ body: String? = nil,
        headers: HTTPFields = [:],
        host: String? = "localhost"
    ) async throws -> Answer {
        try await send(method, path, bytes: body.map { Array($0.utf8) }, headers: headers, host: host)
    }

    /// The same with a body of any bytes.
    func send(
        _ method: String,
        _ path: String,
        bytes: [UInt8]?,
        headers: HTTPFields = [:],
        host: String? = "localhost"
    ) async throws -> Answer {
        let method = try #require(HTTPRequest.Method(method))
        let request = TestClient.Request(
            path,
            method: method,
            authority: host,
            headers: headers,
            body: bytes.map { ByteBuffer(bytes: $0) }
        )
        let response = try await http.execute(request)
        return Answer(
            status: response.status.code,
            headers: response.headers,
            text: response.body.map { String(buffer: $0) } ?? ""
        )
    }

    /// The answer to a POST must be 200 with exactly this body.
    func expect(
        _ path: String,
        _ body: String,
        answers text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await send("POST", path, body).expect(text, sourceLocation: sourceLocation)
    }

    /// The answer to a POST must be a problem.
    func expect(
        _ path: String,
        _ body: String,
        refuses status: Int,
        _ detail: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await send("POST", path, body).expectProblem(status, detail, sourceLocation: sourceLocation)
    }

    /// What `/list_users` answers.
    func users() async throws -> String { try await send("GET", "/list_users").text }
}
