extension MCPRegistry {
    /// Brings the original registry's services, tools, roles, users and tokens over. Tokens are sealed on the way.
    ///
    /// Everything is known by its name: what is here already and the same is skipped, what is here and different is left
    /// alone and reported. So an import that was cut off is simply run again.
    ///
    /// - Parameters:
    ///   - original: the original's database.
    ///   - isDryRun: whether to read and check everything, and write nothing.
    ///   - progress: told after each batch.
    /// - Returns: what was brought over, and what not and why.
    /// - Throws: `unavailable` when either database is lost or without a key ring; batches that were acknowledged stay
    public func importOriginal(
        _ original: OriginalDatabase,
        isDryRun: Bool,
        progress: @escaping @Sendable (ImportProgress) -> Void = { _ in }
    ) async throws(RegistryError) -> ImportReport {
        var run = ImportRun(
            registry: self,
            original: original,
            vault: try requiredVault(),
            isDryRun: isDryRun,
            progress: progress
        )
        try await run.carryServices()
        try await run.refuseToolsWithoutService()
        try await run.carryRoles()
        try await run.carryLinks()
        try await run.carryUsers()
        try await run.carryTokens()
        return run.report
    }
}
