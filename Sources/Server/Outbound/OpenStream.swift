import AsyncHTTPClient
import MCP
import NIOCore

/// A `text/event-stream` that is being read.
final class OpenStream {
    private let bytesMax: Int
    private var body: HTTPClientResponse.Body.AsyncIterator
    private var parser = ServerSentEventParser()
    private var events: ArraySlice<ServerSentEvent> = []
    private var count = 0

    /// - Parameters:
    ///   - body: What is read.
    ///   - bytesMax: How much of it, between two calls of ``allowMore()``.
    init(_ body: HTTPClientResponse.Body, bytesMax: Int) {
        self.body = body.makeAsyncIterator()
        self.bytesMax = bytesMax
    }

    /// Counts the bytes anew.
    func allowMore() {
        count = 0
    }

    /// More bytes than are read.
    struct TooLarge: Error {}

    /// The next event, or `nil` at the end.
    ///
    /// - Throws: ``TooLarge`` for too large an event and too much altogether; whatever breaks the connection.
    func next() async throws -> ServerSentEvent? {
        while events.isEmpty {
            guard let chunk = try await body.next(isolation: #isolation) else { return nil }
            count += chunk.readableBytes
            guard count <= bytesMax else { throw TooLarge() }
            do {
                events = try parser.append(chunk.readableBytesView)[...]
            } catch {
                throw TooLarge()
            }
        }
        return events.removeFirst()
    }
}
