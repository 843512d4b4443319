internal import DBDriver

/// The SQL of `idempotency_keys`. Its times are the database's own: the servers' clocks may differ.
enum IdempotencyTable {
    /// Another request was faster under the same key.
    struct Taken: Error {}

    /// How a request was answered before; nil when it is new.
    ///
    /// - Throws: `conflict` when its key was another request's; ``DatabaseError``
    static func outcome(
        of id: String,
        asking digest: String,
        _ session: Session
    ) throws -> IdempotentRequest.Outcome? {
        guard
            let row = try session.row(
                "SELECT request_sha256, error_code, answer FROM idempotency_keys WHERE id = \(id)"
            )
        else { return nil }
        guard try row.get("request_sha256", as: String.self) == digest else {
            throw RegistryError(
                .conflict,
                "this Idempotency-Key was used for another request: give each request a key of its own"
            )
        }
        let code = try row.get("error_code", as: String?.self)
        let failure = code.map { RegistryError.Code(rawValue: $0) ?? .conflict }
        return .init(answer: try row.get("answer"), failure: failure)
    }

    /// Takes the key for a change, before anything of the change itself is looked at: another request with the same key waits
    /// here.
    ///
    /// - Throws: ``Taken``, ``DatabaseError``
    static func claim(_ request: IdempotentRequest, _ session: Session) throws {
        do throws(DatabaseError) {
            try session.execute(
                """
                INSERT INTO idempotency_keys (id, request_sha256, answer, created_at)
                VALUES (\(request.id), \(request.requestDigest), '{}', \(session.dialect.clock))
                """
            )
        } catch {
            throw error.kind == .uniqueViolation ? Taken() : error
        }
    }

    /// Keeps what the change returned.
    static func keep(_ answer: String, of request: IdempotentRequest, _ session: Session) throws(DatabaseError) {
        try session.execute("UPDATE idempotency_keys SET answer = \(answer) WHERE id = \(request.id)")
    }

    /// Keeps a failure that changed nothing, unless the key has an answer already.
    static func keep(
        _ failure: RegistryError,
        of request: IdempotentRequest,
        _ session: Session
    ) throws(DatabaseError) {
        try session.execute(
            """
            INSERT INTO idempotency_keys (id, request_sha256, error_code, answer, created_at)
            VALUES (\(request.id), \(request.requestDigest), \(failure.code.rawValue), \(failure.message),
            \(session.dialect.clock)) \(session.dialect.onConflict("id"))
            """
        )
    }

    /// Forgets what was kept long enough, some rows at a time: big transactions hold a cluster up.
    ///
    /// - Returns: how many rows were forgotten.
    static func forgetOld(limit: Int, _ session: Session) throws(DatabaseError) -> Int {
        let end: SQL = "\(session.dialect.clock) - \(IdempotencyKey.keptFor.microseconds)"
        let rows = try session.rows(
            "SELECT id FROM idempotency_keys WHERE created_at < \(end) ORDER BY created_at LIMIT \(limit)"
        )
        guard !rows.isEmpty else { return 0 }
        var ids: [String] = []
        for row in rows { ids.append(try row.get("id")) }
        return try session.execute("DELETE FROM idempotency_keys WHERE id IN (\(list: ids))")
    }
}
