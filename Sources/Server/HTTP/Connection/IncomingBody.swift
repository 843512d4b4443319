internal import NIOCore
internal import Synchronization

/// The content of a request that is not complete yet when the request is looked at. It is read once.
struct IncomingBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// Why there is no more of it.
    enum Break: Error {
        /// The connection ended, or what was sent breaks the rules of HTTP.
        case broken
        /// It did not come in time.
        case late
    }

    private enum End {
        case complete
        case failed(any Error)
    }

    private struct State {
        var chunks = CircularBuffer<ByteBuffer>()
        var byteCount = 0
        var end: End?
        var reader: CheckedContinuation<ByteBuffer?, any Error>?
    }

    /// What may wait to be read: 64 KiB, and then what is under way already.
    private static let byteCountMax = 65_536

    private final class Storage: Sendable {
        let state = Mutex(State())
    }

    private let storage = Storage()
    private let wantsMore: @Sendable () -> Void

    /// - Parameter wantsMore: called when something was read.
    init(wantsMore: @escaping @Sendable () -> Void) {
        self.wantsMore = wantsMore
    }

    /// Whether so much waits that no more should be taken from the client.
    var isFull: Bool { storage.state.withLock { $0.byteCount > Self.byteCountMax } }

    /// The next part has come.
    func append(_ chunk: ByteBuffer) {
        let reader = storage.state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
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
    func finish() { end(.complete) }

    /// No more will come.
    func fail(_ error: any Error) { end(.failed(error)) }

    /// Drops what has come, and what will.
    func discard() {
        storage.state.withLock { state in
            state.chunks.removeAll()
            state.byteCount = 0
            state.end = state.end ?? .complete
        }
        wantsMore()
    }

    private func end(_ end: End) {
        let reader = storage.state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
            guard state.end == nil else { return nil }
            state.end = end
            defer { state.reader = nil }
            return state.reader
        }
        switch end {
        case .complete: reader?.resume(returning: nil)
        case .failed(let error): reader?.resume(throwing: error)
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(body: self) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let body: IncomingBody

        func next() async throws -> ByteBuffer? { try await body.next() }
    }

    private func next() async throws -> ByteBuffer? {
        let next = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let known = storage.state.withLock { state -> Result<ByteBuffer?, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if let chunk = state.chunks.popFirst() {
                        state.byteCount -= chunk.readableBytes
                        return .success(chunk)
                    }
                    switch state.end {
                    case .complete: return .success(nil)
                    case .failed(let error): return .failure(error)
                    case nil:
                        state.reader = continuation
                        return nil
                    }
                }
                if let known { continuation.resume(with: known) }
            }
        } onCancel: {
            let reader = storage.state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(throwing: CancellationError())
        }
        wantsMore()
        return next
    }
}
