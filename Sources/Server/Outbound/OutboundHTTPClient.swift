import AsyncHTTPClient
import NIOCore
import NIOHTTPCompression
import ServiceLifecycle

/// The HTTP client for what the operator has configured, closed with the service group. Its users bound time and size
/// themselves.
struct OutboundHTTPClient: Service {
    /// The client itself.
    let client: HTTPClient

    init() {
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .outbound())
    }

    /// Waits for the end and closes the connections.
    func run() async throws {
        try? await gracefulShutdown()
        try await client.shutdown()
    }
}

extension HTTPClient.Configuration {
    /// How much larger an unpacked answer may be than it was on the wire.
    private static let decompressionRatioMax = 100

    /// For everything that goes out: no redirect is followed, no proxy used, no cookie carried, and answers are unpacked
    /// within a ratio.
    static func outbound(connectTimeout: TimeAmount = .seconds(5)) -> Self {
        var configuration = Self()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = Timeout(connect: connectTimeout)
        configuration.decompression = .enabled(limit: .ratio(decompressionRatioMax))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }
}
