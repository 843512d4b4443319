import DBDriver
import Logging
import Migrations
import Registry
import Synchronization
import TestSupport

/// A service as tests want it: answers what it is told to.
final class ScriptedDiscovery: ToolDiscovery {
    private struct State {
        var answer: Result<Discovery, DiscoveryError> = .success(Discovery(tools: []))
        var calls: [(endpoint: Endpoint, wantsDescription: Bool, token: String?)] = []
        var gate: Gate?
    }

    private let state = Mutex(State())

    var calls: [(endpoint: Endpoint, wantsDescription: Bool, token: String?)] { state.withLock { $0.calls } }

    func answer(_ tools: [OfferedTool], description: String? = nil, timeToLive: Duration? = nil) {
        let found = Discovery(tools: tools, serviceDescription: description, timeToLive: timeToLive)
        state.withLock { $0.answer = .success(found) }
    }

    /// Makes every discovery that begins from now on wait, and then answer as was set when it began.
    func wait(at gate: Gate?) {
        state.withLock { $0.gate = gate }
    }

    func fail(_ error: DiscoveryError) {
        state.withLock { $0.answer = .failure(error) }
    }

    func discover(
        _ endpoint: Endpoint,
        wantsDescription: Bool,
        credential: DiscoveryCredential?
    ) async throws(DiscoveryError) -> Discovery {
        let (answer, gate) = state.withLock { state in
            state.calls.append((endpoint, wantsDescription, credential?.token.revealText()))
            return (state.answer, state.gate)
        }
        await gate?.wait()
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

/// A clock that is set by hand. It begins at the real time, since rows are listed in the order of theirs.
final class ManualClock: Sendable {
    private let time = Mutex(Timestamp.now())

    var now: Timestamp { time.withLock { $0 } }

    func advance(by duration: Duration) {
        time.withLock { $0 = $0 + duration }
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
        clock: ManualClock? = nil,
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
                clock: { clock?.now ?? .now() },
                logger: quietLogger
            )
            try await body(
                RegistryFixture(registry: registry, database: database, discovery: discovery, hook: hook)
            )
        }
    }

    /// Another registry over the same database, as another instance would be.
    func another(
        vault: TokenVault?,
        database: Database? = nil,
        policy: CatalogPolicy = CatalogPolicy(),
        releaseAudit: ReleaseAudit = .before,
        clock: ManualClock? = nil,
        logger: Logger = quietLogger
    ) -> MCPRegistry {
        MCPRegistry(
            database: database ?? self.database,
            vault: vault,
            discovery: discovery,
            hook: hook,
            policy: policy,
            releaseAudit: releaseAudit,
            clock: { clock?.now ?? .now() },
            logger: logger
        )
    }

    /// The tools of a service by name.
    func tools(_ service: String = "pizza") async throws -> [String: Tool] {
        let tools = try await registry.tools(of: ServiceName(service))
        return Dictionary(uniqueKeysWithValues: tools.map { ($0.definition.name, $0) })
    }

    /// The service of that name as it is now.
    func service(_ name: String = "pizza") async throws -> RegisteredService? {
        try await registry.find(ServiceName(name))?.0
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
        switch try await registry.access(to: ServiceName(service), for: UserID(user), by: .administrator) {
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

extension MCPRegistry {
    /// Takes a service that is due and reads it; whether there was one.
    func refreshNextDue() async throws -> Bool {
        guard let leased = try await leaseNextDue() else { return false }
        try await refresh(leased)
        return true
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
