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
    /// Bytes of one answer that was packed. How well it was packed says nothing: a thousand tools that resemble each other
    /// make a two-hundredth of their size.
    static let unpackedBytesMax = 4 * 1024 * 1024

    /// For everything that goes out: no redirect is followed, no proxy used, no cookie carried, and answers are unpacked
    /// up to a limit.
    static func outbound(connectTimeout: TimeAmount = .seconds(5)) -> Self {
        var configuration = Self()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = Timeout(connect: connectTimeout)
        configuration.decompression = .enabled(limit: .size(unpackedBytesMax))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        // Its spans would tell URLs with their secrets to the collector, and its header our traces to anybody.
        configuration.tracing.tracer = nil
        return configuration
    }
}
