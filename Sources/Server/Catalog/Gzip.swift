internal import NIOCore
internal import NIOEmbedded
internal import NIOHTTP1
internal import NIOHTTPCompression

/// Compression of a whole document (RFC 1952), by NIO's compressor on a channel that leads nowhere.
enum Gzip {
    /// The compressed document; nil when the compressor refuses.
    static func compressed(_ document: ByteBuffer) -> ByteBuffer? {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        do {
            try channel.pipeline.syncOperations.addHandler(HTTPResponseCompressor())
            let asked = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: ["Accept-Encoding": "gzip"])
            try channel.writeInbound(HTTPServerRequestPart.head(asked))
            try channel.writeOutbound(HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: .ok)))
            try channel.writeOutbound(HTTPServerResponsePart.body(.byteBuffer(document)))
            try channel.writeOutbound(HTTPServerResponsePart.end(nil))
            var compressed = ByteBuffer()
            while let part = try channel.readOutbound(as: HTTPServerResponsePart.self) {
                if case .body(.byteBuffer(var buffer)) = part { compressed.writeBuffer(&buffer) }
            }
            return compressed.readableBytes > 0 ? compressed : nil
        } catch {
            return nil
        }
    }
}
