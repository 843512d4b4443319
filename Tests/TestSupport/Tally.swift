internal import Synchronization

/// A count that concurrent test closures share.
public final class Tally: Sendable {
    private let state = Mutex(0)

    /// Starts at 0.
    public init() {}

    /// How often ``add()`` was called.
    public var count: Int { state.withLock { $0 } }

    /// Adds one.
    public func add() {
        state.withLock { $0 += 1 }
    }
}
