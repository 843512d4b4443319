extension MCPRegistry {
    /// Writes a server's sign of life. Does nothing on a database whose schema has no place for it yet.
    ///
    /// - Throws: ``RegistryError/Code/unavailable``.
    public func beat(_ instance: AppInstance) async throws(RegistryError) {
        try await note { session, _ in
            if try AppInstanceTable.exists(in: session) { try AppInstanceTable.beat(instance, session) }
        }
    }

    /// Says that a server has ended.
    ///
    /// - Throws: ``RegistryError/Code/unavailable``.
    public func remove(_ instance: AppInstance) async throws(RegistryError) {
        try await note { session, _ in
            if try AppInstanceTable.exists(in: session) { try AppInstanceTable.remove(instance, session) }
        }
    }
}
