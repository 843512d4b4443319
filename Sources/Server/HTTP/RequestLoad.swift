internal import Synchronization

/// Counts the requests that are being answered, and says when there is no room for another: one that is turned away at once costs
/// little and can be sent to another server, while a queue that grows makes all of them late.
final class RequestLoad: Sendable {
    /// Requests that are answered at once at most, unless an operator says otherwise.
    static let standardMax = 1_000

    private let max: Int
    private let running = Atomic(0)

    /// - Parameter max: requests at once at most.
    init(max: Int) {
        self.max = max
    }

    /// Takes a place for a request.
    ///
    /// - Returns: whether there was one; ``leave()`` gives it back.
    func enter() -> Bool {
        if running.wrappingAdd(1, ordering: .relaxed).newValue <= max { return true }
        leave()
        return false
    }

    /// Gives a place back.
    func leave() {
        running.wrappingSubtract(1, ordering: .relaxed)
    }
}
