import AsyncHTTPClient
import MCP
import NIOCore

/// A `text/event-stream` that is being read.
final class OpenStream {
    /// Events between two calls of ``allowMore()``: far more than anybody needs who answers one request.
    private static let eventsMax = 1_000

    private let bytesMax: Int
    private var body: HTTPClientResponse.Body.AsyncIterator
    private var parser = ServerSentEventParser()
    private var events: ArraySlice<ServerSentEvent> = []
    private var count = 0
    private var eventCount = 0

    /// - Parameters:
    ///   - body: What is read.
    ///   - bytesMax: How much of it, between two calls of ``allowMore()``.
    init(_ body: HTTPClientResponse.Body, bytesMax: Int) {
        self.body = body.makeAsyncIterator()
        self.bytesMax = bytesMax
    }

    /// Counts bytes and events anew.
    func allowMore() {
        (count, eventCount) = (0, 0)
    }

    /// More than is read.
    enum Excess: Error {
        case bytes, event, events
    }

    /// The next event, or `nil` at the end.
    ///
    /// - Throws: ``Excess`` for too large an event and too much altogether; whatever breaks the connection.
    func next() async throws -> ServerSentEvent? {
        while events.isEmpty {
            guard let chunk = try await body.next(isolation: #isolation) else { return nil }
            // What is there already is handed out without waiting: who floods must not keep a thread from all others.
            await Task.yield()
            try Task.checkCancellation()
            count += chunk.readableBytes
            guard count <= bytesMax else { throw Excess.bytes }
            do {
                events = try parser.append(chunk.readableBytesView)[...]
            } catch {
                throw Excess.event
            }
        }
        eventCount += 1
        guard eventCount <= Self.eventsMax else { throw Excess.events }
        return events.removeFirst()
    }
}
