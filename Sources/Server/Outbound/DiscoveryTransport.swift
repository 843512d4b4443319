import AsyncHTTPClient
import Logging
import MCP
import NIOCore
import NIOHTTP1

/// Carries the exchanges of one discovery, each once.
struct DiscoveryTransport: Sendable {
    /// Where a single try has led.
    enum Step: Sendable {
        /// To an action.
        case next(DiscoverySession, DiscoveryAction)
        /// To a fault that may pass: try again after the delay, if one is given, or else report the event.
        case fault(DiscoveryEvent, retryAfter: Duration?)
    }

    /// Bytes of one answer, unpacked; streams included.
    private static let answerBytesMax = 4 * 1024 * 1024
    /// How long a message waits whose answer does not matter.
    private static let asideTimeout = TimeAmount.seconds(2)
    /// The longest wait that a service may ask for.
    private static let retryAfterMax = 30

    let client: HTTPClient
    let url: String
    let userAgent: String
    /// The value of `Authorization`, a secret.
    let authorization: String?
    let logger: Logger

    /// Sends an exchange and tells the session everything that comes back. Ends when the session wants something else.
    func perform(_ exchange: DiscoveryExchange, _ session: DiscoverySession) async -> Step {
        let response: HTTPClientResponse
        do {
            response = try await client.execute(request(exchange), deadline: .distantFuture)
        } catch {
            logger.debug("no answer in discovery", metadata: ["error": "\(error)"])
            let failure = DiscoveryFailure(.unavailable, "the service could not be reached")
            return .fault(.failed(failure), retryAfter: .zero)
        }
        let status = Int(response.status.code)
        let headers = response.headers.map { (name: $0.name, value: $0.value) }
        guard !DiscoveryEvent.opensStream(status: status, contentType: response.headers.first(name: "content-type"))
        else { return await read(response.body, .streamOpened(status: status, headers: headers), session) }
        do throws(DiscoveryFailure) {
            let event = DiscoveryEvent.reply(status: status, headers: headers, body: try await whole(response.body))
            if let delay = retryDelay(status, response.headers) { return .fault(event, retryAfter: delay) }
            return advance(session, event)
        } catch {
            return advance(session, .failed(error))
        }
    }

    /// Sends an exchange whose answer does not matter.
    func performAside(_ exchange: DiscoveryExchange) async {
        do {
            _ = try await client.execute(request(exchange), timeout: Self.asideTimeout)
        } catch {
            logger.debug("a courtesy of discovery failed", metadata: ["error": "\(error)"])
        }
    }

    private func request(_ exchange: DiscoveryExchange) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: exchange.method)
        for (name, value) in exchange.headers { request.headers.add(name: name, value: value) }
        request.headers.add(name: "Accept-Encoding", value: "gzip, deflate")
        request.headers.add(name: "User-Agent", value: userAgent)
        if let authorization { request.headers.add(name: "Authorization", value: authorization) }
        if !exchange.body.isEmpty { request.body = .bytes(exchange.body) }
        return request
    }

    private func whole(_ body: HTTPClientResponse.Body) async throws(DiscoveryFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await chunk in body {
                bytes.append(contentsOf: chunk.readableBytesView)
                if bytes.count > Self.answerBytesMax { break }
            }
        } catch {
            logger.debug("an answer broke off in discovery", metadata: ["error": "\(error)"])
            throw DiscoveryFailure(.unavailable, "the service's answer could not be read to its end")
        }
        guard bytes.count <= Self.answerBytesMax else { throw Self.tooLarge }
        return bytes
    }

    private func read(
        _ body: HTTPClientResponse.Body,
        _ opening: DiscoveryEvent,
        _ session: DiscoverySession
    ) async -> Step {
        var session = session
        var action = session.next(opening)
        var parser = ServerSentEventParser()
        var count = 0
        guard case .read = action else { return .next(session, action) }
        do {
            for try await chunk in body {
                count += chunk.readableBytes
                guard count <= Self.answerBytesMax else { return advance(session, .failed(Self.tooLarge)) }
                for event in try parser.append(chunk.readableBytesView) {
                    action = session.next(.streamEvent(event))
                    switch action {
                    case .read: continue
                    case .sendAside(let exchange): await performAside(exchange)
                    case .send, .finished, .failed: return .next(session, action)
                    }
                }
            }
        } catch is ServerSentEventTooLarge {
            return advance(session, .failed(Self.tooLarge))
        } catch {
            logger.debug("a stream broke off in discovery", metadata: ["error": "\(error)"])
        }
        return advance(session, .streamEnded)
    }

    private func advance(_ session: DiscoverySession, _ event: DiscoveryEvent) -> Step {
        let (session, action) = session.after(event)
        return .next(session, action)
    }

    /// How long to wait before another try: nothing in particular when a gateway has trouble, what the service says when
    /// we are too fast, `nil` when another try is no use.
    private func retryDelay(_ status: Int, _ headers: HTTPHeaders) -> Duration? {
        switch status {
        case 502, 503, 504: return .zero
        case 429:
            guard let seconds = headers.first(name: "retry-after").flatMap({ Int($0) }),
                (0...Self.retryAfterMax).contains(seconds)
            else { return nil }
            return .seconds(seconds)
        default: return nil
        }
    }

    private static let tooLarge = DiscoveryFailure(.unusable, "the service's answer is larger than 4 MiB")
}
