internal import Synchronization

/// Lets another thread interrupt the statement that a connection is running, and all that would follow it.
///
/// The action touches the engine's handle, so it is dropped, under the same lock, before that handle is closed.
final class Interrupter: Sendable {
    /// Why a connection is interrupted.
    enum Reason: Sendable {
        /// Nobody waits for the answer.
        case cancelled
        /// Its server does not answer.
        case hostLost
        /// The request that it works for has no time left.
        case tooLate
    }

    private struct State {
        var action: (@Sendable () -> Void)?
        var reason: Reason?
    }

    private let state: Mutex<State>

    /// - Parameter action: what interrupts the statement that runs; not needed by an engine that asks ``wasUsed`` meanwhile.
    init(_ action: (@Sendable () -> Void)? = nil) {
        state = Mutex(State(action: action))
    }

    /// Whether the connection was interrupted. It is not used again.
    var wasUsed: Bool {
        state.withLock { $0.reason != nil }
    }

    /// What a statement fails with that was not begun before the connection was interrupted; nil when it was not.
    var error: DatabaseError? {
        switch state.withLock({ $0.reason }) {
        case .cancelled: DatabaseError(.interrupted, message: "the task was cancelled")
        case .hostLost: DatabaseError(.connectionLost, message: "the database server does not answer")
        case .tooLate: DatabaseError(.interrupted, message: "the request has no time left")
        case nil: nil
        }
    }

    /// Interrupts; does nothing once the connection is closed.
    func interrupt(_ reason: Reason = .cancelled) {
        state.withLock { state in
            state.reason = state.reason ?? reason
            state.action?()
        }
    }

    /// Called by the connection's thread before it closes its handle.
    func disarm() {
        state.withLock { $0.action = nil }
    }
}
