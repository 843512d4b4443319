/// The media types of Streamable HTTP.
enum MediaType {
    static let json = "application/json"
    static let eventStream = "text/event-stream"

    /// Whether a `Content-Type` value names `type`, whatever its parameters.
    static func matches(_ value: String?, _ type: String) -> Bool {
        value.map { $0.prefix { $0 != ";" } }.map { String($0).trimmingBlanks.equalsIgnoringCase(type) } ?? false
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
        guard let accept, !accept.isEmpty else {
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
