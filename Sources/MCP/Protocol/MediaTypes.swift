/// The media types of Streamable HTTP.
enum MediaType {
    static let json = "application/json"
    static let eventStream = "text/event-stream"

    /// Whether a `Content-Type` value names `type`, whatever its parameters.
    static func matches(_ value: String?, _ type: String) -> Bool {
        guard let value else { return false }
        if value.equalsIgnoringCase(type) { return true }
        let name = value.utf8.prefix { $0 != UInt8(ascii: ";") }
        return String(decoding: Array(name), as: UTF8.self).trimmingBlanks.equalsIgnoringCase(type)
    }
}

/// The forms of an answer.
enum AnswerForm: Equatable {
    /// One JSON object.
    case json
    /// The same object as the only event of a stream.
    case eventStream

    /// What the client's `Accept` allows, JSON first; no `Accept` allows everything. `nil` when it allows neither.
    ///
    /// Clients must accept both; being lenient costs nothing. A range with `q=0` is a refusal (RFC 9110 section 12.4.2).
    init?(accept: String?) {
        // The last is what the specification asks clients to send.
        guard let accept, !["", "*/*", MediaType.json, "application/json, text/event-stream"].contains(accept) else {
            self = .json
            return
        }
        let ranges = accept.split(separator: ",").filter { !Self.isRefusal($0) }.map(String.init)
        let accepts = { (types: [String]) in
            ranges.contains { range in types.contains { MediaType.matches(range, $0) } }
        }
        if accepts(["*/*", "application/*", MediaType.json]) {
            self = .json
        } else if accepts([MediaType.eventStream, "text/*"]) {
            self = .eventStream
        } else {
            return nil
        }
    }

    private static func isRefusal(_ range: Substring) -> Bool {
        range.split(separator: ";").dropFirst().contains { parameter in
            let pair = parameter.split(separator: "=").map { String($0).trimmingBlanks }
            return pair.count == 2 && pair[0].equalsIgnoringCase("q") && Double(pair[1]) == 0
        }
    }
}
