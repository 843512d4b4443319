internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// Puts the host of a target in absolute form, such as `http://host:80/path`, in place of `Host` (RFC 9112 section 3.2.2), before the
/// target is cut down to its path. A `Host` that is missing or given twice stays so.
final class TargetHost: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), let host = Self.host(in: head.uri),
            head.headers["Host"].count == 1
        else { return context.fireChannelRead(data) }
        head.headers.replaceOrAdd(name: "Host", value: host)
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// The host, with its port if there is one, of a target in absolute form; nil for any other form.
    static func host(in target: String) -> String? {
        guard target.first != "/", let start = target.firstRange(of: "://")?.upperBound else { return nil }
        return String(target[start...].prefix { !["/", "?", "#"].contains($0) })
    }
}

/// An HTTP/1.1 connection that sees the whole target of a request.
struct WholeTargetChannel: ServerChildChannel {
    let http: HTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        http.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(TargetHost(), position: .after(decoder))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await http.handle(value: value, logger: logger)
        }
    }
}

extension HTTPServerBuilder {
    /// HTTP/1.1 that knows when clients go, and which host they mean. It ends connections on which nothing arrives for a time, in
    /// the middle of a request too. With a certificate it speaks TLS only.
    static func registry(idleTimeout: TimeAmount, certificate: ServerCertificate? = nil) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            let configuration = HTTP1Channel.Configuration(
                additionalChannelHandlers: [ClientPresence()],
                idleTimeout: idleTimeout
            )
            let http = WholeTargetChannel(http: HTTP1Channel(responder: responder, configuration: configuration))
            guard let certificate else { return http }
            return EncryptedChannel(certificate: certificate, http: http)
        }
    }
}
