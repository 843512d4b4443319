internal import DBDriver

extension MCPRegistry {
    /// Rows that are forgotten in one transaction at most.
    private static let forgottenAtOnce = 500
    /// Transactions of one round at most: it has to end well within the lease.
    private static let transactionsMax = 20

    /// Takes a lease that nobody has, or renews it.
    ///
    /// - Parameters:
    ///   - lease: which, and whose.
    ///   - duration: how long it holds from now on.
    /// - Returns: whether its holder has it now.
    /// - Throws: `unavailable`
    public func take(_ lease: Lease, for duration: Duration = Lease.duration) async throws(RegistryError) -> Bool {
        try await note { session, _ in try LeaseTable.take(lease, for: duration, session) }
    }

    /// Gives a lease back, so that another takes it at once; harmless when it is somebody else's.
    ///
    /// - Throws: `unavailable`
    public func release(_ lease: Lease) async throws(RegistryError) {
        try await note { session, _ in try LeaseTable.release(lease, session) }
    }

    /// Forgets what was kept long enough: answers under ``IdempotencyKey``s, and servers that have been gone for a day. What is too
    /// much for one round is left to the next.
    ///
    /// - Returns: how many rows were forgotten.
    /// - Throws: `unavailable`
    @discardableResult
    public func forgetOld() async throws(RegistryError) -> Int {
        var forgotten = try await note { session, _ in try AppInstanceTable.forgetOld(session) }
        for _ in 0..<Self.transactionsMax {
            let some = try await note { session, _ in
                try IdempotencyTable.forgetOld(limit: Self.forgottenAtOnce, session)
            }
            forgotten += some
            guard some == Self.forgottenAtOnce else { break }
        }
        return forgotten
    }
}
