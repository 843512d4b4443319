internal import NIOCore
internal import Synchronization

/// What is known of a connection beside what is sent over it: where it comes from, and whether its client is still there.
///
/// A client is gone when it has closed the connection, or ended its own side of it: over TCP the two can't be told apart until
/// something is sent. One that has sent several requests at once and then leaves may be noticed only when those before are answered.
final class ClientConnection: Sendable {
    private struct State {
        var isGone = false
        /// Whether the answer that is under way is of use only to a client that waits for it.
        var isWaitedFor = false
        var task: Task<Void, Never>?
    }

    /// The address of whoever has opened it; empty when that is not known.
    let address: String
    /// Where everything about it happens.
    let executor: EventLoopExecutor
    private let channel: any Channel
    private let state = Mutex(State())

    init(_ channel: any Channel) {
        self.channel = channel
        address = channel.remoteAddress?.ipAddress ?? ""
        executor = EventLoopExecutor(channel.eventLoop)
    }

    /// Does work of which only a client that waits for it has any use: when the client goes, the connection's task
    /// is cancelled, and the connection closed, so that nothing is sent any more.
    func whileConnected<T: Sendable>(_ work: () async -> T) async -> T {
        setWaitedFor(true)
        defer { setWaitedFor(false) }
        return await work()
    }

    private func setWaitedFor(_ isWaitedFor: Bool) {
        let isInVain = state.withLock { state in
            state.isWaitedFor = isWaitedFor
            return isWaitedFor && state.isGone
        }
        if isInVain { giveUp() }
    }

    /// Tells the task that answers what comes over the connection.
    func setTask(_ task: Task<Void, Never>) {
        let isInVain = state.withLock { state in
            state.task = task
            return state.isWaitedFor && state.isGone
        }
        if isInVain { giveUp() }
    }

    /// The client has gone.
    func leave() {
        let isInVain = state.withLock { state in
            state.isGone = true
            return state.isWaitedFor
        }
        if isInVain { giveUp() }
    }

    private func giveUp() {
        state.withLock { $0.task }?.cancel()
        channel.close(promise: nil)
    }
}
