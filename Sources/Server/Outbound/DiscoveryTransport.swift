import AsyncHTTPClient
import Logging
import MCP
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOSSL

/// Carries the exchanges of one discovery: deadlines, retries, sizes, one redirect, and the stream that is open.
final class DiscoveryTransport {
    /// Bytes of one answer, unpacked; for streams those between two of our requests, for packed ones all.
    private static let answerBytesMax = HTTPClient.Configuration.unpackedBytesMax
    /// Bytes of the header fields of an answer.
    private static let headerBytesMax = 64 * 1024
    /// Tries of one exchange beyond the first.
    private static let retriesMax = 2
    /// The least and the largest wait before the first retry; the second waits four times as long.
    private static let backoffMilliseconds = 100...200
    /// The longest wait that a service may ask for.
    private static let retryAfterMax = Duration.seconds(30)
    /// How long a message waits whose answer does not matter, for the head of that answer.
    private static let asideTimeout = TimeAmount.seconds(2)

    /// What every request of a discovery has in common.
    struct Identity: Sendable {
        let userAgent: String
        /// The value of `Authorization`, a secret.
        let authorization: String?
    }

    private let client: PinnedClient
    private let identity: Identity
    private let watchdog: Watchdog
    private let exchangeTimeout: Duration
    private let logger: Logger

    /// Where requests go; after a redirect another place of the same origin.
    private var url: ServiceURL
    private var hasRedirected = false
    /// Where messages go beside the stream of HTTP+SSE.
    private var messageURL: ServiceURL?
    private var stream: OpenStream?
    private var lastFault: DiscoveryFailure?

    init(
        _ url: ServiceURL,
        client: PinnedClient,
        identity: Identity,
        watchdog: Watchdog,
        exchangeTimeout: Duration,
        logger: Logger
    ) {
        self.url = url
        self.client = client
        self.identity = identity
        self.watchdog = watchdog
        self.exchangeTimeout = exchangeTimeout
        self.logger = logger
    }

    /// Why nothing came before the limit.
    func timeout(_ limits: HTTPToolDiscovery.Timeouts) -> DiscoveryFailure {
        // To whom a connection was never made is as unreachable after the limit as before it.
        if !client.hasAnswered, let lastFault { return lastFault }
        let span = watchdog.deadline <= .now ? limits.overall : min(limits.exchange, limits.overall)
        return DiscoveryFailure(.unavailable, "the service did not answer within \(span.seconds) seconds")
    }

    /// Sends an exchange, with retries; its answer may be a stream that is open then.
    func send(_ exchange: DiscoveryExchange) async -> DiscoveryEvent {
        stream = nil
        return await retried { await once(exchange) }
    }

    /// Sends an exchange beside the open stream, with retries, and reports status and headers. The body says nothing, and is
    /// not waited for: the answer may be on the stream already.
    func sendBeside(_ exchange: DiscoveryExchange) async -> DiscoveryEvent {
        stream?.allowMore()
        return await retried {
            do throws(DiscoveryFailure) {
                let response = try await head(of: exchange)
                return (.reply(status: response.code, headers: response.fields, body: []), retryDelay(response))
            } catch {
                return (.failed(error), retryDelay(error))
            }
        }
    }

    /// Sends an exchange whose answer does not matter. Its body is given up unread: a service that keeps it open must not
    /// keep us.
    func sendAside(_ exchange: DiscoveryExchange) async {
        do {
            _ = try await client.execute(request(exchange), deadline: .now() + Self.asideTimeout)
        } catch {
            logger.debug("a courtesy of discovery failed", metadata: ["error": "\(error)"])
        }
    }

    /// Lets messages go to the place that the open stream names.
    func enter(_ reference: String) -> DiscoveryEvent {
        guard let place = url.sameOrigin(reference) else {
            return .failed(DiscoveryFailure(.unusable, "the service's stream names an endpoint of another origin"))
        }
        messageURL = place
        return .entered
    }

    /// The next event of the open stream.
    func read() async -> DiscoveryEvent {
        guard let stream else { return .streamEnded }
        do {
            guard let event = try await stream.next() else { return .streamEnded }
            return .streamEvent(event)
        } catch let excess as OpenStream.Excess {
            switch excess {
            case .bytes: return .failed(Self.tooLarge)
            case .event: return .failed(Self.tooLargeEvent)
            case .events: return .failed(Self.tooManyEvents)
            }
        } catch NIOHTTPDecompression.DecompressionError.limit {
            return .failed(Self.tooLarge)
        } catch {
            logger.debug("a stream broke off in discovery", metadata: ["error": "\(error)"])
            return .streamEnded
        }
    }

    /// What came of one try, and how long to wait before another if that may help.
    private typealias Try = (event: DiscoveryEvent, retryAfter: Duration?)

    private func retried(_ once: () async -> Try) async -> DiscoveryEvent {
        var attempt = 0
        while true {
            let (event, retryAfter) = await once()
            guard let retryAfter, attempt < Self.retriesMax, await pause(retryAfter, attempt) else { return event }
            attempt += 1
        }
    }

    private func once(_ exchange: DiscoveryExchange) async -> Try {
        do throws(DiscoveryFailure) {
            let response = try await head(of: exchange)
            if let place = redirection(response) {
                (url, hasRedirected) = (place, true)
                return await once(exchange)
            }
            let type = response.headers.first(name: "content-type")
            if DiscoveryEvent.opensStream(status: response.code, contentType: type) {
                stream = OpenStream(response.body, bytesMax: Self.answerBytesMax)
                return (.streamOpened(status: response.code, headers: response.fields), nil)
            }
            let body = try await whole(response.body)
            return (.reply(status: response.code, headers: response.fields, body: body), retryDelay(response))
        } catch {
            return (.failed(error), retryDelay(error))
        }
    }

    /// Sends a request and waits for the head of its answer. A body that nobody reads is given up with it.
    private func head(of exchange: DiscoveryExchange) async throws(DiscoveryFailure) -> HTTPClientResponse {
        watchdog.restart(exchangeTimeout)
        let response: HTTPClientResponse
        do {
            response = try await client.execute(request(exchange))
        } catch {
            let failure = Self.failure(error)
            if !Task.isCancelled { lastFault = failure }
            throw failure
        }
        guard response.fields.reduce(0, { $0 + $1.name.utf8.count + $1.value.utf8.count }) <= Self.headerBytesMax else {
            throw DiscoveryFailure(.unusable, "the service's answer has more than 64 KiB of headers")
        }
        return response
    }

    /// Why there is no answer. Only whoever may be contacted gets as far as TLS and HTTP, so this tells nothing about others.
    private static func failure(_ error: any Error) -> DiscoveryFailure {
        switch error {
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            DiscoveryFailure(.unusable, "the service's TLS certificate or handshake can't be accepted")
        case is HTTPParserError: DiscoveryFailure(.unusable, "what answers at the address does not speak HTTP")
        default: EndpointPolicy.unreachable
        }
    }

    private func request(_ exchange: DiscoveryExchange) -> HTTPClientRequest {
        let place = exchange.method == "GET" ? url : messageURL ?? url
        var request = HTTPClientRequest(url: place.text)
        request.method = HTTPMethod(rawValue: exchange.method)
        for (name, value) in exchange.headers { request.headers.add(name: name, value: value) }
        request.headers.add(name: "Accept-Encoding", value: "gzip, deflate")
        request.headers.add(name: "User-Agent", value: identity.userAgent)
        if let authorization = identity.authorization {
            request.headers.add(name: "Authorization", value: authorization)
        }
        if !exchange.body.isEmpty { request.body = .bytes(exchange.body) }
        return request
    }

    /// Where to send a request again: once, to the same origin and so to a judged address. Servers redirect `/mcp` to
    /// `/mcp/` or back. (303 asks for another method.)
    private func redirection(_ response: HTTPClientResponse) -> ServiceURL? {
        guard !hasRedirected, [301, 302, 307, 308].contains(response.status.code),
            let location = response.headers.first(name: "location")
        else { return nil }
        return url.sameOrigin(location)
    }

    private func whole(_ body: HTTPClientResponse.Body) async throws(DiscoveryFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await chunk in body {
                bytes.append(contentsOf: chunk.readableBytesView)
                if bytes.count > Self.answerBytesMax { break }
            }
        } catch NIOHTTPDecompression.DecompressionError.limit {
            throw Self.tooLarge
        } catch {
            logger.debug("an answer broke off in discovery", metadata: ["error": "\(error)"])
            throw DiscoveryFailure(.unavailable, "the service's answer could not be read to its end")
        }
        guard bytes.count <= Self.answerBytesMax else { throw Self.tooLarge }
        return bytes
    }

    /// How long to wait before another try: nothing in particular when a gateway has trouble, what the service says when
    /// we are too fast, `nil` when another try is no use.
    private func retryDelay(_ response: HTTPClientResponse) -> Duration? {
        switch response.code {
        case 502, 503, 504: return .zero
        case 429:
            guard let wait = response.headers.first(name: "retry-after").flatMap({ RetryAfter.wait($0) }),
                (.zero...Self.retryAfterMax).contains(wait)
            else { return nil }
            return wait
        default: return nil
        }
    }

    /// The same when there is no answer: only who was not reached may be the next time.
    private func retryDelay(_ failure: DiscoveryFailure) -> Duration? {
        failure == EndpointPolicy.unreachable ? .zero : nil
    }

    /// Waits before another try.
    ///
    /// - Returns: Whether there is time for it.
    private func pause(_ wanted: Duration, _ attempt: Int) async -> Bool {
        let backoff = Duration.milliseconds(Int.random(in: Self.backoffMilliseconds)) * (attempt == 0 ? 1 : 4)
        let end = ContinuousClock.now + max(wanted, backoff)
        guard end < watchdog.deadline else { return false }
        watchdog.release()
        do {
            try await Task.sleep(until: end)
            return true
        } catch {
            return false
        }
    }

    private static let tooManyEvents = DiscoveryFailure(.unusable, "the service sends too many messages in one answer")
    private static let tooLargeEvent = DiscoveryFailure(.unusable, "the service sent an event larger than 1 MiB")
    private static let tooLarge = DiscoveryFailure(.unusable, "the service's answer is larger than 4 MiB")
}

extension HTTPClientResponse {
    fileprivate var code: Int { Int(status.code) }
    fileprivate var fields: [(name: String, value: String)] { headers.map { ($0.name, $0.value) } }
}

extension Duration {
    /// Seconds, with a fraction where there is one.
    fileprivate var seconds: String {
        let milliseconds = components.attoseconds / 1_000_000_000_000_000
        return milliseconds == 0
            ? "\(components.seconds)" : "\(Double(components.seconds) + Double(milliseconds) / 1000)"
    }
}
