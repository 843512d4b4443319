/// One event of a `text/event-stream` (WHATWG HTML, "Server-sent events").
public struct ServerSentEvent: Sendable, Equatable {
    /// The event's type; `message` when the stream names none.
    public var type: String
    /// The data lines joined by line feeds, as bytes: the JSON parser judges their UTF-8.
    public var data: [UInt8]
    /// The `id` field, or `nil` when the event has none.
    public var id: String?

    /// An event from its parts.
    public init(type: String = "message", data: [UInt8], id: String? = nil) {
        self.type = type
        self.data = data
        self.id = id
    }

    /// The event as it stands in a stream, with CRLF line ends.
    public var framed: [UInt8] {
        var bytes = Array("event: \(type)\r\n".utf8)
        if let id { bytes += Array("id: \(id)\r\n".utf8) }
        for line in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            bytes += Array("data: ".utf8) + line + Array("\r\n".utf8)
        }
        return bytes + Array("\r\n".utf8)
    }
}

/// An event grew beyond the parser's limit.
public struct ServerSentEventTooLarge: Error, Sendable, Equatable {}
