internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import ServiceLifecycle

/// HTTP/1.1 on the connections of a server: a pipeline of NIO's with ``RequestHandler`` at its end.
///
/// It stands in for Hummingbird's own, which hands each part of a request and of its answer through an asynchronous sequence: see
/// docs/performance.md for what that costs.
struct HTTPChannel: ServerChildChannel {
    /// Answers a request.
    typealias Answer = @Sendable (Request, ClientConnection) async -> Response

    /// A connection and the end of its pipeline.
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        fileprivate let client: ClientConnection
        fileprivate let handler: NIOLoopBound<RequestHandler>
    }

    /// 80 KiB for a header field and for all together, and 1,000 of them.
    private static let limits = {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 80 * 1_024
        limits.maxHeaderListSize = 80 * 1_024
        limits.maxHeaderFieldCount = 1_000
        return limits
    }()

    var patience = RequestHandler.Patience()
    let answer: Answer

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: Self.limits)
            try pipeline.addHandler(ByteToMessageHandler(decoder))
            let client = ClientConnection(channel)
            let handler = RequestHandler(client, patience)
            try pipeline.addHandlers(RequestHeads(), handler)
            return Value(channel: channel, client: client, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
        }
    }

    /// Answers what comes over a connection, one request after the other, on its event loop.
    func handle(value: Value, logger: Logger) async {
        let task = Task(executorPreference: value.client.executor) {
            let handler = value.handler.value
            while let request = await handler.next() { handler.send(await answer(request, value.client)) }
        }
        value.client.setTask(task)
        await withTaskCancellationHandler {
            await task.value
            try? await value.channel.closeFuture.get()
        } onCancel: {
            task.cancel()
            value.channel.eventLoop.execute { value.handler.value.stop() }
        }
    }
}

extension HTTPChannel {
    /// A server of such connections. With a certificate it speaks TLS only.
    ///
    /// - Parameters:
    ///   - address: where it listens.
    ///   - certificate: what it speaks TLS with.
    ///   - logger: told of what goes wrong.
    ///   - onceListening: called with the port.
    /// - Returns: the server, which listens once it is run.
    func server(
        at address: BindAddress,
        certificate: ServerCertificate? = nil,
        logger: Logger,
        onceListening: @escaping @Sendable (Int) async -> Void
    ) -> any Service {
        let connections: any ServerChildChannel =
            if let certificate { EncryptedChannel(certificate: certificate, http: self) } else { self }
        return connections.server(
            configuration: HummingbirdCore.ServerConfiguration(address: address),
            onServerRunning: { await onceListening($0.localAddress?.port ?? 0) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
    }
}
