/// A gate that one task waits at until another opens it.
public struct Gate: Sendable {
    private let stream: AsyncStream<Never>
    private let continuation: AsyncStream<Never>.Continuation

    /// A closed gate.
    public init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    /// Opens it for good.
    public func open() {
        continuation.finish()
    }

    /// Waits until it is open, or the task is cancelled.
    public func wait() async {
        for await _ in stream {}
    }
}

/// Lets other tasks run until the condition holds; the test's own time limit bounds it.
public func until(_ condition: () throws -> Bool) async rethrows {
    while try !condition() { await Task.yield() }
}
