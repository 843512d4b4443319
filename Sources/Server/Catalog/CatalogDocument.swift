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

    /// The document in one encoding, with all that is ever answered of it.
    private struct Form: Sendable {
        let whole: Response
        /// To whoever may ask for it with a condition.
        let tagged: Response
        let notModified: Response

        init(_ content: ByteBuffer, isCompressed: Bool, tag: String) {
            var headers: HTTPFields =
                isCompressed || content.readableBytes >= compressedFrom ? [.vary: "Accept-Encoding"] : [:]
            // RFC 9110 §8.8.3.3: what is encoded in another way has another tag. It may be kept, and is asked for each time.
            let validators: HTTPFields = [
                .eTag: isCompressed ? "\"\(tag)-gzip\"" : "\"\(tag)\"", .cacheControl: "private, no-cache",
            ]
            notModified = Response(status: .notModified, headers: headers + validators)
            if isCompressed { headers[.contentEncoding] = "gzip" }
            headers[.contentType] = "application/json"
            whole = Response(status: .ok, headers: headers, body: content)
            tagged = Response(status: .ok, headers: headers + validators, body: content)
        }
    }

    private let tag: String
    private let body: ByteBuffer
    private let plain: Form
    private let compressed = Mutex<Form?>(nil)

    /// - Parameter value: the answer.
    init(_ value: JSONValue) {
        let bytes = value.serialized()
        tag = Array(SHA256.hash(data: bytes).prefix(16)).hexadecimal
        body = ByteBuffer(bytes: bytes)
        plain = Form(body, isCompressed: false, tag: tag)
        if bytes.count >= Self.compressedAtOnceFrom { _ = compressedForm() }
    }

    // The compressed form is smaller by far; it is made when it is first wanted.
    var byteCount: Int { body.readableBytes * 5 / 4 + 2_048 }

    /// The answer to a request.
    ///
    /// - Parameters:
    ///   - request: how it is wanted.
    ///   - isConditional: whether a client that has it already is told so (RFC 9110 §13.1.2): with methods other than GET and
    ///     HEAD the condition means something else.
    /// - Returns: 200 with the document, or 304 when the client has it.
    func response(to request: Request, isConditional: Bool = false) -> Response {
        let isCompressed = body.readableBytes >= Self.compressedFrom && Self.wantsGzip(request.headers[.acceptEncoding])
        let form = isCompressed ? compressedForm() ?? plain : plain
        guard isConditional else { return form.whole }
        let isKnown = request.headers[.ifNoneMatch].map(matches) ?? false
        return isKnown ? form.notModified : form.tagged
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

    /// The document in gzip; nil when it can't be made.
    private func compressedForm() -> Form? {
        compressed.withLock { compressed in
            compressed =
                compressed ?? Gzip.compressed(body).map { Form($0, isCompressed: true, tag: tag) }
            return compressed
        }
    }
}
