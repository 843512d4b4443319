internal import HTTPTypes
internal import NIOCore

/// An answer, whole: none is sent in parts.
struct Response: Sendable {
    var status: HTTPResponse.Status
    var headers: HTTPFields
    private(set) var body: ByteBuffer?

    /// - Parameters:
    ///   - status: its status; not 204 or 304, which have no content.
    ///   - headers: its header fields; `Content-Length` is set.
    ///   - body: its content.
    init(status: HTTPResponse.Status, headers: HTTPFields = [:], body: ByteBuffer) {
        (self.status, self.headers, self.body) = (status, headers, body)
        self.headers[.contentLength] = "\(body.readableBytes)"
    }

    /// An answer without content.
    init(status: HTTPResponse.Status, headers: HTTPFields = [:]) {
        (self.status, self.headers) = (status, headers)
        // RFC 9110 §8.6: a 204 must not tell one, and a 304 would tell that of the document.
        if status != .noContent, status != .notModified { self.headers[.contentLength] = "0" }
    }

    /// What HEAD is answered where GET is answered this (RFC 9110 §9.3.2).
    var withoutBody: Response {
        var head = self
        head.body = nil
        return head
    }
}
