internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// Gives out the requests of a connection, one after the other in the order in which they came, and sends the answers.
///
/// A request is given out when all has been taken in that has arrived at a time: mostly it is complete then.
final class RequestHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = HTTPResponsePart

    /// A request that is not complete yet.
    private enum Incoming {
        /// It was not looked at yet; with what has come of its content.
        case new(HTTPRequest, ByteBuffer?)
        /// It waits for its turn, or is being answered.
        case handedOn(IncomingBody, Scheduled<Void>)
    }

    /// Requests that may wait behind the one that is being answered, before no more are taken in.
    private static let waitingMax = 8
    private static let serverName = "mcp-registry"
    /// How long a client has to close its side when ours is closed: 5 s.
    private static let lingerTime = TimeAmount.seconds(5)

    private let client: ClientConnection
    private let bodyPatience: TimeAmount
    private var context: ChannelHandlerContext?
    private var incoming: Incoming?
    private var waiting = CircularBuffer<Request>()
    /// What is being answered.
    private var current: Request?
    /// Whoever waits for a request.
    private var reader: CheckedContinuation<Request?, Never>?
    private var isReadWanted = false
    /// Set once nothing that comes in counts any more.
    private var end: End?
    private var isOver = false
    private var linger: Scheduled<Void>?

    /// What is done when everything is answered.
    private enum End {
        /// Our side is closed; the client may close its own when it has read the answers.
        case finish
        /// The same, once the client was told that what it sends is not HTTP.
        case refuse
        /// The connection is closed.
        case close
    }

    /// - Parameters:
    ///   - client: the connection.
    ///   - bodyPatience: how long the content of a request may take to arrive.
    init(_ client: ClientConnection, bodyPatience: TimeAmount) {
        self.client = client
        self.bodyPatience = bodyPatience
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    // MARK: What comes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard end == nil else { return }
        switch (unwrapInboundIn(data), incoming) {
        case (.head(let head), _):
            incoming = .new(head, nil)
        case (.body(var chunk), .new(let head, let begun)):
            incoming = nil
            guard var whole = begun else {
                incoming = .new(head, chunk)
                return
            }
            whole.writeBuffer(&chunk)
            incoming = .new(head, whole)
        case (.body(let chunk), .handedOn(let body, _)):
            body.append(chunk)
        case (.end, .new(let head, let body)):
            incoming = nil
            take(Request(head: head, body: RequestBody(buffer: body ?? ByteBuffer())))
        case (.end, .handedOn(let body, let alarm)):
            incoming = nil
            alarm.cancel()
            body.finish()
        case (.body, nil), (.end, nil):
            break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .new(let head, let begun) = incoming {
            let me = NIOLoopBound(self, eventLoop: context.eventLoop)
            let loop = context.eventLoop
            let body = IncomingBody { loop.execute { me.value.readOn() } }
            if let begun { body.append(begun) }
            let alarm = loop.scheduleTask(in: bodyPatience) { body.fail(IncomingBody.Break.late) }
            incoming = .handedOn(body, alarm)
            take(Request(head: head, body: RequestBody(asyncSequence: body)))
        }
        context.fireChannelReadComplete()
    }

    private func take(_ request: Request) {
        guard let reader else { return waiting.append(request) }
        self.reader = nil
        current = request
        reader.resume(returning: request)
    }

    func read(context: ChannelHandlerContext) {
        if isFull { isReadWanted = true } else { context.read() }
    }

    private var isFull: Bool {
        if case .handedOn(let body, _) = incoming, body.isFull { return true }
        return waiting.count >= Self.waitingMax
    }

    private func readOn() {
        guard isReadWanted, !isFull else { return }
        isReadWanted = false
        context?.read()
    }

    // MARK: How it ends

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            client.leave()
            stopReading(.finish)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError { stopReading(.refuse) } else { context.close(promise: nil) }
    }

    // The connection is closed. (Not every handler lets `channelInactive` through.)
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        client.leave()
        waiting.removeAll()
        stopReading(.finish)
        linger?.cancel()
    }

    /// Ends the connection as soon as the answer that is under way was sent.
    func stop() {
        waiting.removeAll()
        stopReading(.close)
    }

    /// Takes no more requests; those that were taken are answered.
    private func stopReading(_ end: End) {
        self.end = self.end ?? end
        if end == .close { self.end = end }
        if case .handedOn(let body, let alarm) = incoming {
            alarm.cancel()
            body.fail(IncomingBody.Break.broken)
        }
        incoming = nil
        endIfOver()
    }

    private func endIfOver() {
        guard let end, current == nil, waiting.isEmpty, !isOver else { return }
        isOver = true
        reader?.resume(returning: nil)
        reader = nil
        guard let context else { return }
        switch end {
        case .close: return context.close(promise: nil)
        case .refuse: write(Response(status: .badRequest, headers: [.connection: "close"]), context)
        case .finish: break
        }
        context.close(mode: .output, promise: nil)
        // What the client still sends is read and dropped for a time: if it came to a closed socket, the system would take back
        // what was not read of the answer (RFC 9112 §9.6).
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        linger = context.eventLoop.scheduleTask(in: Self.lingerTime) { me.value.context?.close(promise: nil) }
    }

    // MARK: What is answered

    /// The request whose turn it is, as soon as there is one; nil when there will be none any more. To be called on the event
    /// loop, and not again before ``send(_:)``.
    func next() async -> Request? {
        current = waiting.popFirst()
        readOn()
        if let current { return current }
        endIfOver()
        guard !isOver else { return nil }
        return await withCheckedContinuation { reader = $0 }
    }

    /// Sends the answer to what ``next()`` has returned.
    func send(_ response: Response) {
        let isLast = Self.closes(current?.headers) || Self.closes(response.headers)
        current = nil
        if case .handedOn(let body, _) = incoming, waiting.isEmpty { body.discard() }
        if let context { write(response, context) }
        guard isLast else { return }
        waiting.removeAll()
        stopReading(.finish)
    }

    private static func closes(_ headers: HTTPFields?) -> Bool {
        headers?[.connection]?.lowercased() == "close"
    }

    private func write(_ response: Response, _ context: ChannelHandlerContext) {
        var head = HTTPResponse(status: response.status, headerFields: response.headers)
        head.headerFields.append(HTTPField(name: .date, value: ResponseDate.shared.text))
        head.headerFields.append(HTTPField(name: .server, value: Self.serverName))
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if let body = response.body { context.write(wrapOutboundOut(.body(body)), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
