internal import NIOCore
internal import NIOHTTP1

/// Puts the host of a target in absolute form, such as `http://host:80/path`, in place of `Host` (RFC 9112 section 3.2.2), before the
/// target is cut down to its path. A `Host` that is missing or given twice stays so. And says `Connection: close` in so many words for a
/// client that closes the connection after its request, as those of HTTP/1.0 do unless they say otherwise.
final class TargetHost: ChannelInboundHandler, Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        let host = Self.host(in: head.uri)
        guard host != nil || !head.isKeepAlive else { return context.fireChannelRead(data) }
        if !head.isKeepAlive { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        if let host, head.headers["Host"].count == 1 { head.headers.replaceOrAdd(name: "Host", value: host) }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// The host, with its port if there is one, of a target in absolute form; nil for any other form.
    static func host(in target: String) -> String? {
        guard target.first != "/", let start = target.firstRange(of: "://")?.upperBound else { return nil }
        return String(target[start...].prefix { !["/", "?", "#"].contains($0) })
    }
}
