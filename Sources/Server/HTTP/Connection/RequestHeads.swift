internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// Gives the parts of requests as NIO has read them the types that the server knows.
///
/// Before the target is cut down to its path, the host of one in absolute form, such as `http://host:80/path`, is put in place of
/// `Host` (RFC 9112 §3.2.2); a `Host` that is missing or given twice stays so. And `Connection: close` is said in so many words for a
/// client that closes the connection after its request, as those of HTTP/1.0 do unless they say otherwise. Of what came with HTTP/1.1
/// they may not make use: `Expect` is dropped (RFC 9110 §10.1.1), and a transfer coding ends the connection (RFC 9112 §6.1).
final class RequestHeads: ChannelInboundHandler, Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(var head):
            Self.complete(&head)
            do {
                let request = try HTTPRequest(head, secure: false, splitCookie: false)
                context.fireChannelRead(wrapInboundOut(.head(request)))
            } catch {
                context.fireErrorCaught(error)
            }
        case .body(let chunk):
            context.fireChannelRead(wrapInboundOut(.body(chunk)))
        case .end:
            // Nothing asks for trailers.
            context.fireChannelRead(wrapInboundOut(.end(nil)))
        }
    }

    private static func complete(_ head: inout HTTPRequestHead) {
        let isOld = head.version != .http1_1
        if isOld { head.headers.remove(name: "Expect") }
        if !head.isKeepAlive || (isOld && head.headers.contains(name: "Transfer-Encoding")) {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        }
        if let host = host(in: head.uri), head.headers["Host"].count == 1 {
            head.headers.replaceOrAdd(name: "Host", value: host)
        }
    }

    /// The host, with its port if there is one, of a target in absolute form; nil for any other form.
    static func host(in target: String) -> String? {
        guard target.utf8.first != UInt8(ascii: "/"), let start = target.firstRange(of: "://")?.upperBound else {
            return nil
        }
        return String(target[start...].prefix { !["/", "?", "#"].contains($0) })
    }
}
