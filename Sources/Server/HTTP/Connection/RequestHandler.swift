internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// Gives out the requests of a connection, one after the other in the order in which they came, and sends the answers.
///
/// A request is given out when all has been taken in that has arrived at a time: mostly it is complete then. The next one is, when
/// the client takes what it is sent.
final class RequestHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// How long things may take.
    struct Patience: Sendable {
        /// The content of a request may take 15 s to arrive.
        var body = TimeAmount.seconds(15)
        /// A connection on which nothing happens, while nothing is being answered, is closed after 75 s.
        var idle = TimeAmount.seconds(75)
        /// A client has 5 s to close its side when ours is closed.
        var linger = TimeAmount.seconds(5)
    }

    /// A request that is not complete yet.
    private enum Incoming {
        /// It was not looked at yet; with what has come of its content.
        case new(HTTPRequest, ByteBuffer?)
        /// It waits for its turn, is being answered, or was answered already.
        case handedOn(IncomingBody, HTTPRequest)
    }

    /// What is done when everything is answered.
    private enum End {
        /// Our side is closed; the client may close its own when it has read the answers.
        case finish
        /// The same, once the client was told that what it sends is not HTTP.
        case refuse
        /// The connection is closed.
        case close
    }

    /// Requests that may wait behind the one that is being answered, before no more are taken in.
    private static let waitingMax = 8

    private let client: ClientConnection
    private let patience: Patience
    private var context: ChannelHandlerContext?
    private var incoming: Incoming?
    private var waiting = CircularBuffer<Request>()
    /// What is being answered.
    private var current: Request?
    /// Whoever waits for a request.
    private var reader: CheckedContinuation<Request?, Never>?
    /// Answers that the system has not taken whole yet.
    private var unsent = 0
    /// Bytes of them, when that was last looked at.
    private var untaken = 0
    private var isReadWanted = false
    /// Whether the server is being shut down.
    private var isLeaving = false
    /// Whether what the client has not taken yet is lost.
    private var isStopped = false
    /// Set once nothing that comes in counts any more.
    private var end: End?
    private var isOver = false
    private var alarm: Scheduled<Void>?
    private var lastActive = NIODeadline.now()
    /// Closes the connection when nothing happens, or when the client does not close it.
    private var timer: Scheduled<Void>?

    init(_ client: ClientConnection, _ patience: Patience) {
        (self.client, self.patience) = (client, patience)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        watch(for: patience.idle, context)
    }

    // The connection is closed.
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        client.leave()
        waiting.removeAll()
        stopReading(.close)
        timer?.cancel()
    }

    // MARK: What comes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastActive = .now()
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
            endReading(after: head)
        case (.end, .handedOn(let body, let head)):
            incoming = nil
            alarm?.cancel()
            body.finish()
            endReading(after: head)
            endIfOver()
        case (.body, nil), (.end, nil):
            break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .new(let head, let begun) = incoming {
            let (me, loop) = (NIOLoopBound(self, eventLoop: context.eventLoop), context.eventLoop)
            let body = IncomingBody { loop.execute { me.value.readOn() } }
            if let begun { body.append(begun) }
            incoming = .handedOn(body, head)
            setAlarm(context)
            take(Request(head: head, body: RequestBody(asyncSequence: body)))
        }
        context.fireChannelReadComplete()
    }

    private func take(_ request: Request) {
        waiting.append(request)
        giveOut()
    }

    /// A client that closes the connection, or wants to speak something else than HTTP, has nothing more to say.
    private func endReading(after head: HTTPRequest) {
        if head.method == .connect || head.headerFields[.upgrade] != nil {
            // What it sends from here on is not looked at by the decoder, and would pile up.
            stopReading(.close)
        } else if head.headerFields.closesConnection {
            stopReading(.finish)
        }
    }

    func read(context: ChannelHandlerContext) {
        if isFull { isReadWanted = true } else { context.read() }
    }

    private var isFull: Bool {
        if case .handedOn(let body, _) = incoming, body.isFull { return true }
        return end == .close || waiting.count >= Self.waitingMax
    }

    private func readOn() {
        guard isReadWanted, !isFull else { return }
        isReadWanted = false
        context?.read()
    }

    /// Gives the content of the incoming request its time, which passes while we read.
    private func setAlarm(_ context: ChannelHandlerContext) {
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        alarm = context.eventLoop.scheduleTask(in: patience.body) { me.value.contentIsLate() }
    }

    private func contentIsLate() {
        guard case .handedOn(let body, _) = incoming, let context else { return }
        guard !isReadWanted else { return setAlarm(context) }
        body.fail(.late)
        // The request may be answered already: nothing more is taken then either.
        stopReading(.finish)
    }

    // MARK: How it ends

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            client.leave()
            stopReading(.finish)
        } else if event is ChannelShouldQuiesceEvent {
            isLeaving = true
            endIfOver()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is HTTPParserError:
            // Within a request's content, it is the request that is answered so.
            if case .handedOn = incoming { stopReading(.finish) } else { stopReading(.refuse) }
        case is ByteToMessageDecoderError:
            // What comes after such an error.
            break
        default:
            context.close(promise: nil)
        }
    }

    /// Ends the connection at once, or as soon as there is an answer to the request that is under way.
    func stop() {
        isStopped = true
        waiting.removeAll()
        stopReading(.close)
    }

    /// Takes no more requests; those that were taken are answered.
    private func stopReading(_ end: End) {
        self.end = end == .close ? .close : self.end ?? end
        if case .handedOn(let body, _) = incoming {
            alarm?.cancel()
            body.fail(.broken)
        }
        incoming = nil
        endIfOver()
    }

    /// Ends the connection when nothing is left to be answered or sent.
    private func endIfOver() {
        guard current == nil, waiting.isEmpty, incoming == nil, !isOver else { return }
        if isLeaving { end = .close }
        guard let end else { return }
        reader?.resume(returning: nil)
        reader = nil
        guard let context else { return isOver = true }
        guard unsent == 0 || isStopped else { return }
        isOver = true
        switch end {
        case .close: return context.close(promise: nil)
        case .refuse: write(Response(status: .badRequest, headers: [.connection: "close"]), context)
        case .finish: break
        }
        context.close(mode: .output, promise: nil)
        // What the client still sends is read and dropped for a time: if it came to a closed socket, the system would take back
        // what was not read of the answer (RFC 9112 §9.6).
        timer?.cancel()
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: patience.linger) { me.value.context?.close(promise: nil) }
    }

    private func watch(for time: TimeAmount, _ context: ChannelHandlerContext) {
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: time) { me.value.closeIfIdle() }
    }

    private func closeIfIdle() {
        guard let context else { return }
        let untaken = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        // A client that takes a long answer slowly is not idle.
        if untaken != self.untaken { (self.untaken, lastActive) = (untaken, .now()) }
        let idle = NIODeadline.now() - lastActive
        guard current == nil, idle >= patience.idle else {
            return watch(for: current == nil ? patience.idle - idle : patience.idle, context)
        }
        context.close(promise: nil)
    }

    // MARK: What is answered

    /// The request whose turn it is, as soon as there is one; nil when there will be none any more. To be called on the event
    /// loop, and not again before ``send(_:)``.
    func next() async -> Request? {
        await withCheckedContinuation { continuation in
            reader = continuation
            giveOut()
            readOn()
        }
    }

    private func giveOut() {
        guard let reader else { return }
        guard !isOver, let context else {
            self.reader = nil
            return reader.resume(returning: nil)
        }
        // As long as a client does not take its answers, it gets no more of them.
        guard context.channel.isWritable, let request = waiting.popFirst() else { return endIfOver() }
        self.reader = nil
        current = request
        if case .handedOn = incoming, waiting.isEmpty, request.headers[.expect]?.lowercased() == "100-continue" {
            let goOn = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")
            context.writeAndFlush(wrapOutboundOut(goOn), promise: nil)
        }
        reader.resume(returning: request)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        giveOut()
        context.fireChannelWritabilityChanged()
    }

    /// Sends the answer to what ``next()`` has returned.
    func send(_ response: Response) {
        current = nil
        lastActive = .now()
        if case .handedOn(let body, _) = incoming, waiting.isEmpty { body.discard() }
        guard let context else { return }
        unsent += 1
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in
            self.unsent -= 1
            self.endIfOver()
        }
        write(response, context, promise: sent)
        guard response.headers.closesConnection else { return }
        waiting.removeAll()
        stopReading(.finish)
    }

    private func write(_ response: Response, _ context: ChannelHandlerContext, promise: EventLoopPromise<Void>? = nil) {
        let (first, long) = response.bytes(isLast: end != nil && waiting.isEmpty, context.channel.allocator)
        guard let long else { return context.writeAndFlush(wrapOutboundOut(first), promise: promise) }
        context.write(wrapOutboundOut(first), promise: nil)
        context.writeAndFlush(wrapOutboundOut(long), promise: promise)
    }
}
