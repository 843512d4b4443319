internal import Synchronization

/// Lets another thread interrupt the statement that a connection is running, and all that would follow it.
///
/// The action touches the engine's handle, so it is dropped, under the same lock, before that handle is closed.
final class Interrupter: Sendable {
    private struct State {
        var action: (@Sendable () -> Void)?
        var wasUsed = false
    }

    private let state: Mutex<State>

    /// - Parameter action: what interrupts the statement that runs; not needed by an engine that asks ``wasUsed`` meanwhile.
    init(_ action: (@Sendable () -> Void)? = nil) {
        state = Mutex(State(action: action))
    }

    /// Whether the connection was interrupted. It is not used again.
    var wasUsed: Bool {
        state.withLock { $0.wasUsed }
    }

    /// Interrupts; does nothing once the connection is closed.
    func interrupt() {
        state.withLock { state in
            state.wasUsed = true
            state.action?()
        }
    }

    /// Called by the connection's thread before it closes its handle.
    func disarm() {
        state.withLock { $0.action = nil }
    }
}
