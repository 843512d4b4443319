import AsyncHTTPClient
import NIOCore
import NIOHTTPCompression
import ServiceLifecycle

/// The HTTP client for everything that goes out, closed with the service group.
///
/// It follows no redirect, uses no proxy, carries no cookies, and unpacks compressed answers within a ratio. Its users
/// bound time and size themselves.
struct OutboundHTTPClient: Service {
    /// The client itself.
    let client: HTTPClient

    /// How much larger an unpacked answer may be than it was on the wire.
    private static let decompressionRatioMax = 100

    init(connectTimeout: TimeAmount = .seconds(5)) {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = HTTPClient.Configuration.Timeout(connect: connectTimeout)
        configuration.decompression = .enabled(limit: .ratio(Self.decompressionRatioMax))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Waits for the end and closes the connections.
    func run() async throws {
        try? await gracefulShutdown()
        try await client.shutdown()
    }
}
