import AsyncHTTPClient
import Logging
import NIOCore

/// An HTTP client for one discovery, which connects to judged addresses and never asks for the host's addresses again.
///
/// Name and `Host` stay those of the URL, for TLS too. As long as no address has answered, the next one is tried when
/// one fails.
final class PinnedClient {
    /// How many of a host's addresses are tried.
    static let addressesMax = 4

    private let host: String
    private let connectTimeout: TimeAmount
    private let logger: Logger
    private var addresses: [IPAddress]
    private var client: HTTPClient
    private(set) var hasAnswered = false

    /// - Parameters:
    ///   - url: The URL whose host is contacted.
    ///   - addresses: Its addresses, all judged; at least one.
    ///   - connectTimeout: How long one connection may take.
    ///   - logger: Hears of failures.
    init(_ url: ServiceURL, _ addresses: [IPAddress], connectTimeout: Duration, logger: Logger) {
        host = url.host
        self.addresses = Array(addresses.prefix(Self.addressesMax))
        self.connectTimeout = TimeAmount(connectTimeout)
        self.logger = logger
        client = Self.client(host, self.addresses.first, self.connectTimeout)
    }

    /// Sends a request.
    ///
    /// - Throws: The last address's fault when none answers; ``ForeignHost`` for a URL with another host, whose addresses
    ///   nobody has judged.
    func execute(_ request: HTTPClientRequest, deadline: NIODeadline = .distantFuture) async throws
        -> HTTPClientResponse
    {
        guard let url = try? ServiceURL(request.url), url.host.utf8.elementsEqual(host.utf8) else {
            throw ForeignHost()
        }
        var left = hasAnswered ? 1 : addresses.count
        while true {
            do {
                let response = try await client.execute(request, deadline: deadline)
                hasAnswered = true
                return response
            } catch {
                left -= 1
                logger.debug("no answer in discovery", metadata: ["error": "\(error)"])
                guard left > 0, !Task.isCancelled else { throw error }
                await moveOn()
            }
        }
    }

    /// A URL that this client does not send to.
    struct ForeignHost: Error {}

    /// Closes all connections. Must be called once, at the end.
    func close() async {
        do {
            try await client.shutdown()
        } catch {
            logger.debug("a client of discovery did not close well", metadata: ["error": "\(error)"])
        }
    }

    private func moveOn() async {
        addresses.append(addresses.removeFirst())
        await close()
        client = Self.client(host, addresses.first, connectTimeout)
    }

    private static func client(_ host: String, _ address: IPAddress?, _ connectTimeout: TimeAmount) -> HTTPClient {
        var configuration = HTTPClient.Configuration.outbound(connectTimeout: connectTimeout)
        // A host that is an address is connected to as it is.
        if let address, IPAddress(host) == nil { configuration.dnsOverride = [host: address.description] }
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }
}
