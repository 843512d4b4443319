internal import DBDriver
internal import Logging
internal import Registry

extension DatabaseConfiguration {
    /// Lends the registry on this database to a command, after the same checks that a server makes.
    ///
    /// - Parameters:
    ///   - ring: the keys; nil for none.
    ///   - notesKeys: whether the database may note keys that are new to it.
    ///   - logger: for the database, and for the private details of an error.
    ///   - body: the work.
    /// - Returns: what the body returns.
    /// - Throws: ``CommandFailure``, as ``check(_:_:notesKeys:_:)`` does, and for the body's error: exit code 2 for wrong
    ///   input, 8 when the database went away, else 1.
    func withRegistry<T>(
        _ ring: KeyRing?,
        notesKeys: Bool = true,
        _ logger: Logger,
        _ body: (MCPRegistry) async throws(RegistryError) -> T
    ) async throws -> T {
        try await check(try .ofThisProgram(dialect), ring, notesKeys: notesKeys, logger)
        let database = Database(self, logger: logger)
        let registry = MCPRegistry(
            database: database,
            vault: ring.map { TokenVault(ring: $0) },
            discovery: NoDiscovery(),
            hook: NoHook(),
            logger: logger
        )
        let result: Result<T, RegistryError>
        do throws(RegistryError) {
            result = .success(try await body(registry))
        } catch {
            result = .failure(error)
        }
        await database.shutDown()
        do throws(RegistryError) {
            return try result.get()
        } catch {
            if let detail = error.detail { logger.error("\(error.message)", metadata: ["detail": "\(detail)"]) }
            throw CommandFailure(message: error.message, exitCode: Self.exitCode(error.code))
        }
    }

    private static func exitCode(_ code: RegistryError.Code) -> Int32 {
        switch code {
        case .unavailable: 8
        case .invalid: 2
        case .notFound, .conflict, .unauthenticated, .forbidden, .upstream, .keyUnavailable, .internal: 1
        }
    }
}

/// A command reads no service: running servers do.
private struct NoDiscovery: ToolDiscovery {
    func discover(
        _ endpoint: Endpoint,
        wantsDescription: Bool,
        credential: DiscoveryCredential?
    ) async throws(DiscoveryError) -> Discovery {
        throw .failed("a command reads no service")
    }
}

/// Where nobody wants to be told of changes.
struct NoHook: ChangeHook {
    func catalogChanged() {}
}
