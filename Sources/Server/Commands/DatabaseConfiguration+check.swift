internal import DBDriver
internal import Logging
internal import Registry

extension DatabaseConfiguration {
    /// Looks whether the database can be worked with: reached, migrated, and sealed with the same keys.
    ///
    /// - Parameters:
    ///   - schema: what the schema must be.
    ///   - ring: the keys; nil for none.
    ///   - notesKeys: whether the database may note keys that are new to it.
    ///   - logger: for the database.
    /// - Throws: ``CommandFailure`` with exit code 6 for the schema, 8 for the connection, 2 for the keys.
    func check(
        _ schema: SchemaRequirement,
        _ ring: KeyRing?,
        notesKeys: Bool = true,
        _ logger: Logger
    ) async throws {
        let database = Database(self, logger: logger)
        let failure: CommandFailure?
        do {
            failure = try await problem(with: database, schema, ring, notesKeys: notesKeys, logger)
        } catch let error as DatabaseError {
            failure = CommandFailure(message: "the database \(place) can't be used: \(error.advice(self))", exitCode: 8)
        }
        await database.shutDown()
        if let failure { throw failure }
    }

    private func problem(
        with database: Database,
        _ schema: SchemaRequirement,
        _ ring: KeyRing?,
        notesKeys: Bool,
        _ logger: Logger
    ) async throws -> CommandFailure? {
        let state = try await schema.state(of: database)
        if let advice = state.advice(command: "mcp-registry migrate") {
            guard state.isUsable else { return CommandFailure(message: "\(place): \(advice)", exitCode: 6) }
            logger.warning("\(advice)")
        }
        do throws(RegistryError) {
            try await ring?.verify(in: database, notes: notesKeys)
            try await warn(of: ring, in: database, logger)
            return nil
        } catch {
            return CommandFailure(message: error.message, exitCode: error.code == .conflict ? 2 : 8)
        }
    }

    /// Says what the ring lacks: what is sealed with it can't be read here.
    private func warn(of ring: KeyRing?, in database: Database, _ logger: Logger) async throws(RegistryError) {
        guard let ring else { return }
        let missing: [(id: UInt32, rows: Int)]
        do {
            missing = try await database.read { try ring.missing(in: $0) }
        } catch {
            throw RegistryError(.unavailable, "the database \(place) can't be used")
        }
        for key in missing {
            logger.warning("the key ring lacks key \(key.id), which \(key.rows) stored rows are sealed with")
        }
    }

    /// Where the database is, without user or password.
    var place: String {
        switch engine {
        case .sqlite(let sqlite): sqlite.path
        case .mysql(let mysql):
            mysql.hosts.map { "\($0.name):\($0.port)" }.joined(separator: ",") + "/" + mysql.database
        }
    }
}

extension DatabaseError {
    /// What an operator should know and do. The server's own words are part of it: they name hosts, users and tables, and
    /// no value of a row can be involved before the first request.
    func advice(_ configuration: DatabaseConfiguration) -> String {
        guard case .sqlite = configuration.engine, kind == .unavailable else { return debugDescription }
        return "there is no such file, or it may not be opened; to make it, run: mcp-registry migrate up"
    }
}
