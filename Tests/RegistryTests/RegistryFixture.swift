import DBDriver
import Migrations
import Registry
import Synchronization
import TestSupport

/// A service as tests want it: answers what it is told to.
final class ScriptedDiscovery: ToolDiscovery {
    private struct State {
        var answer: Result<Discovery, DiscoveryError> = .success(Discovery(tools: []))
        var calls: [(endpoint: Endpoint, wantsDescription: Bool, token: String?)] = []
    }

    private let state = Mutex(State())

    var calls: [(endpoint: Endpoint, wantsDescription: Bool, token: String?)] { state.withLock { $0.calls } }

    func answer(_ tools: [OfferedTool], description: String? = nil) {
        state.withLock { $0.answer = .success(Discovery(tools: tools, serviceDescription: description)) }
    }

    func fail(_ error: DiscoveryError) {
        state.withLock { $0.answer = .failure(error) }
    }

    func discover(
        _ endpoint: Endpoint,
        wantsDescription: Bool,
        credential: DiscoveryCredential?
    ) async throws(DiscoveryError) -> Discovery {
        let answer = state.withLock { state in
            state.calls.append((endpoint, wantsDescription, credential?.token.revealText()))
            return state.answer
        }
        return try answer.get()
    }
}

/// Counts the changes it is told of.
final class CountingHook: ChangeHook {
    private let tally = Tally()

    var count: Int { tally.count }

    func catalogChanged() {
        tally.add()
    }
}

/// A registry over an empty migrated database.
struct RegistryFixture: Sendable {
    let registry: MCPRegistry
    let database: Database
    let discovery: ScriptedDiscovery
    let hook: CountingHook

    static func with(
        _ engine: Engine,
        vault: TokenVault? = try? TokenVault(ring: .single(KeyRing.generateKey())),
        policy: CatalogPolicy = CatalogPolicy(),
        _ body: (RegistryFixture) async throws -> Void
    ) async throws {
        try await engine.withDatabase { database in
            let folder = try MigrationFolder(files: BundledMigrations.files, dialect: database.dialect)
            _ = try await Migrator(database.configuration, folder: folder, logger: quietLogger).up()
            let discovery = ScriptedDiscovery()
            let hook = CountingHook()
            let registry = MCPRegistry(
                database: database,
                vault: vault,
                discovery: discovery,
                hook: hook,
                policy: policy,
                logger: quietLogger
            )
            try await body(
                RegistryFixture(registry: registry, database: database, discovery: discovery, hook: hook)
            )
        }
    }

    /// Another registry over the same database, as another instance would be.
    func another(vault: TokenVault?) -> MCPRegistry {
        MCPRegistry(database: database, vault: vault, discovery: discovery, hook: hook, logger: quietLogger)
    }

    @discardableResult
    func addService(
        _ name: String = "pizza",
        endpoint: String? = nil,
        description: String = "Orders pizza",
        requiresAuthorization: Bool = true,
        method: String = "Bearer"
    ) async throws -> RegisteredService {
        let new = try NewService(
            name: name,
            endpoint: endpoint ?? "https://\(name).example/mcp",
            description: description,
            requiresAuthorization: requiresAuthorization,
            method: method
        )
        return try await registry.add(new, by: .administrator)
    }

    func createRole(_ name: String, prompt: String = "") async throws {
        try await registry.createRole(RoleName(name), SystemPrompt(prompt), by: .administrator)
    }

    func count(_ query: SQL) async throws -> Int {
        try await database.read { session in
            try session.row("SELECT COUNT(*) AS n FROM \(query)")?.get("n", as: Int.self) ?? -1
        }
    }

    func token(_ user: String, at service: String = "pizza") async throws -> String? {
        switch try await registry.access(to: ServiceName(service), for: UserID(user)) {
        case .open: nil
        case .token(let secret, _): secret.revealText()
        }
    }
}

extension OfferedTool {
    static func named(_ name: String, _ description: String = "") -> OfferedTool {
        OfferedTool(name: name, description: description, inputSchema: #"{"type":"object"}"#)
    }
}

/// What the closure throws as a registry's error; nil when it throws nothing.
func failure(_ body: () async throws -> Void) async throws -> RegistryError? {
    do {
        try await body()
        return nil
    } catch let error as RegistryError {
        return error
    }
}
