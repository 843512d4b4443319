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

/// Waits until the condition holds.
///
/// - Throws: `CancellationError` when the test's time limit is over, and whatever the condition throws.
public func until(_ condition: () throws -> Bool) async throws {
    while try !condition() { try await Task.sleep(for: .milliseconds(1)) }
}
