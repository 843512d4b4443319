internal import ArgumentParser
internal import DBDriver
internal import Logging
internal import Registry

/// What the commands share that work on the registry's database without a server.
struct RegistryOptions: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    /// Lends the registry.
    ///
    /// - Parameters:
    ///   - needsRing: whether the work needs the servers' key ring.
    ///   - body: the work.
    /// - Returns: what the body returns.
    /// - Throws: ``CommandFailure``
    func run<T>(needsRing: Bool, _ body: (MCPRegistry) async throws(RegistryError) -> T) async throws -> T {
        let (database, ring) = try configured {
            let source = try configuration.source()
            let ring = try KeyRingSource.configured(source)
            guard ring != nil || !needsRing else {
                throw ConfigurationError(
                    message: "no key ring is configured: set REGISTRY_KEY or REGISTRY_KEYRING, the same as for serve"
                )
            }
            return (try source.database(createIfMissing: false), ring)
        }
        let logger = LogFormat.text.logger(.error)
        return try await database.withRegistry(needsRing ? ring : nil, logger, body)
    }
}
