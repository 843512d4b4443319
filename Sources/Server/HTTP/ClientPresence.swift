internal import Hummingbird
internal import NIOCore
internal import Synchronization

/// Notices on a connection that its client is gone: it has closed the connection, or ended its own side of it.
///
/// Over TCP the two can't be told apart until something is sent, so a half-close counts as a disconnect. A client that has sent
/// several requests at once and then leaves may be noticed only when those before are answered.
final class ClientPresence: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = Never

    private struct State {
        var isGone = false
        var onceGone: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    private func leave() {
        let onceGone = state.withLock { state in
            state.isGone = true
            return state.onceGone
        }
        onceGone?()
    }

    /// Says what to do when the client goes, at once if it has gone already; nil for nothing.
    private func watch(_ onceGone: (@Sendable () -> Void)?) {
        let isGone = state.withLock { state in
            state.onceGone = onceGone
            return state.isGone
        }
        if isGone { onceGone?() }
    }

    /// The one of a connection; nil for one that is closed, and has no handlers.
    private static func of(_ channel: any Channel) async -> ClientPresence? {
        guard channel.eventLoop.inEventLoop else {
            return try? await channel.pipeline.handler(type: ClientPresence.self).get()
        }
        return try? channel.pipeline.syncOperations.handler(type: ClientPresence.self)
    }

    /// Does work of which only a client that waits for it has any use: when the client goes, the work is cancelled, and the
    /// connection closed, so that nothing is sent any more.
    static func whileConnected<T: Sendable>(
        _ channel: any Channel,
        _ work: @escaping @Sendable () async -> T
    ) async -> T {
        let presence = await of(channel)
        let task = Task(executorPreference: EventLoopExecutor(channel.eventLoop)) { await work() }
        if let presence {
            presence.watch {
                task.cancel()
                channel.close(promise: nil)
            }
        } else {
            task.cancel()
        }
        defer { presence?.watch(nil) }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }
}

/// What is known of a request beside its content.
struct ConnectionContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection that it came over.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
