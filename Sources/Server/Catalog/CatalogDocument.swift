internal import Crypto
internal import HTTPTypes
internal import HummingbirdCore
internal import MCP
internal import NIOCore
internal import Registry
internal import Synchronization

/// A JSON answer about the catalogue that is sent as it is to many, compressed to those who want that.
final class CatalogDocument: CatalogAnswer {
    /// What is worth being compressed: 1,400 bytes, about what fits in one packet.
    static let compressedFrom = 1_400
    /// What is compressed when it is made, where there is time, and not when it is first wanted: 64 KiB.
    private static let compressedAtOnceFrom = 65_536

    private let body: ByteBuffer
    private let tag: String
    private let compressed = Mutex<ByteBuffer?>(nil)

    /// - Parameter value: the answer.
    init(_ value: JSONValue) {
        let bytes = value.serialized()
        body = ByteBuffer(bytes: bytes)
        tag = Array(SHA256.hash(data: bytes).prefix(16)).hexadecimal
        if bytes.count >= Self.compressedAtOnceFrom { _ = compressedBody() }
    }

    // The compressed form is smaller by far; it is made when it is first wanted.
    var byteCount: Int { body.readableBytes * 5 / 4 + 256 }

    /// The answer to a request.
    ///
    /// - Parameters:
    ///   - request: how it is wanted.
    ///   - isConditional: whether a client that has it already is told so (RFC 9110 §13.1.2): with methods other than GET and
    ///     HEAD the condition means something else.
    /// - Returns: 200 with the document, or 304 when the client has it.
    func response(to request: Request, isConditional: Bool = false) -> Response {
        let isLarge = body.readableBytes >= Self.compressedFrom
        let gzip = isLarge && Self.wantsGzip(request.headers[.acceptEncoding]) ? compressedBody() : nil
        var headers: HTTPFields = [:]
        if isLarge { headers[.vary] = "Accept-Encoding" }
        let content = gzip ?? body
        if isConditional {
            // RFC 9110 §8.8.3.3: what is encoded in another way has another tag.
            headers[.eTag] = gzip != nil ? "\"\(tag)-gzip\"" : "\"\(tag)\""
            // It may be kept, and is asked for each time.
            headers[.cacheControl] = "private, no-cache"
            if let wanted = request.headers[.ifNoneMatch], matches(wanted) {
                return Response(status: .notModified, headers: headers)
            }
        }
        if gzip != nil { headers[.contentEncoding] = "gzip" }
        headers[.contentType] = "application/json"
        return Response(status: .ok, headers: headers, body: content)
    }

    /// Whether one of the tags of `If-None-Match` is this document's, in whichever encoding.
    private func matches(_ tags: String) -> Bool {
        tags.split(separator: ",").contains { wanted in
            var wanted = wanted.drop { $0 == " " || $0 == "\t" }
            if wanted.hasPrefix("W/") { wanted = wanted.dropFirst(2) }
            return wanted.hasPrefix("*") || wanted.hasPrefix("\"\(tag)\"") || wanted.hasPrefix("\"\(tag)-gzip\"")
        }
    }

    /// Whether gzip is acceptable: named, or meant by `*`, and not with weight 0 (RFC 9110 §12.5.3).
    static func wantsGzip(_ header: String?) -> Bool {
        guard let header else { return false }
        var isWanted: Bool?
        for coding in header.lowercased().split(separator: ",") {
            let parts = coding.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let name = parts.first, ["gzip", "x-gzip", "*"].contains(name) else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            // What names it counts more than what means everything.
            if name != "*" || isWanted == nil { isWanted = weight > 0 }
            if name != "*" { break }
        }
        return isWanted ?? false
    }

    /// The body in gzip; nil when it can't be made.
    private func compressedBody() -> ByteBuffer? {
        compressed.withLock { compressed in
            compressed = compressed ?? Gzip.compressed(body)
            return compressed
        }
    }
}
