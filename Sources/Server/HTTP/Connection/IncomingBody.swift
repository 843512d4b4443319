internal import NIOCore
internal import Synchronization

/// The content of a request that is not complete yet when the request is looked at. It is read once.
final class IncomingBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// Why there is no more of it.
    enum Break: Error {
        /// The connection ended, or what was sent breaks the rules of HTTP.
        case broken
        /// It did not come in time.
        case late
    }

    private struct State {
        var chunks = CircularBuffer<ByteBuffer>()
        var byteCount = 0
        /// What whoever reads on is told once nothing waits: nil for the end, or why it will not come.
        var end: Result<ByteBuffer?, any Error>?
        var reader: CheckedContinuation<ByteBuffer?, any Error>?
    }

    /// What may wait to be read: 64 KiB, and then what is under way already.
    private static let byteCountMax = 65_536

    private let state = Mutex(State())
    private let wantsMore: @Sendable () -> Void

    /// - Parameter wantsMore: called when something was read.
    init(wantsMore: @escaping @Sendable () -> Void) {
        self.wantsMore = wantsMore
    }

    /// Whether so much waits that no more should be taken from the client.
    var isFull: Bool { state.withLock { $0.byteCount > Self.byteCountMax } }

    /// The next part has come.
    func append(_ chunk: ByteBuffer) {
        let reader = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
            guard state.end == nil else { return nil }
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            state.chunks.append(chunk)
            state.byteCount += chunk.readableBytes
            return nil
        }
        reader?.resume(returning: chunk)
    }

    /// All of it has come.
    func finish() { end(.success(nil)) }

    /// No more will come.
    func fail(_ error: Break) { end(.failure(error)) }

    /// Drops what has come, and what will.
    func discard() {
        state.withLock { state in
            state.chunks.removeAll()
            state.byteCount = 0
            state.end = state.end ?? .success(nil)
        }
        wantsMore()
    }

    private func end(_ end: Result<ByteBuffer?, any Error>) {
        let reader = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
            guard state.end == nil else { return nil }
            state.end = end
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(with: end)
    }

    func makeAsyncIterator() -> Iterator { Iterator(body: self) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let body: IncomingBody

        func next() async throws -> ByteBuffer? { try await body.next() }
    }

    private func next() async throws -> ByteBuffer? {
        let next = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let known = state.withLock { state -> Result<ByteBuffer?, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if let chunk = state.chunks.popFirst() {
                        state.byteCount -= chunk.readableBytes
                        return .success(chunk)
                    }
                    if state.end == nil { state.reader = continuation }
                    return state.end
                }
                if let known { continuation.resume(with: known) }
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(throwing: CancellationError())
        }
        wantsMore()
        return next
    }
}
