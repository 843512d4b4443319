/// One HTTP exchange that discovery wants; credentials and transport headers are added by whoever sends it.
public struct DiscoveryExchange: Sendable {
    /// `POST`, `GET` or `DELETE`.
    public var method: String
    /// The header fields.
    public var headers: [(name: String, value: String)]
    /// The body; empty but for `POST`.
    public var body: [UInt8]
}

/// What happened to the exchange asked for last.
public enum DiscoveryEvent: Sendable {
    /// Nothing yet: begin.
    case start
    /// It was answered, and the answer is not a stream; the body was read as a whole.
    case reply(status: Int, headers: [(name: String, value: String)], body: [UInt8])
    /// It was answered with status 2xx and a `text/event-stream`, which is now open.
    case streamOpened(status: Int, headers: [(name: String, value: String)])
    /// The endpoint was found to be one of the service's origin; messages go there from now on.
    case entered
    /// The next event of the open stream.
    case streamEvent(ServerSentEvent)
    /// The open stream has ended.
    case streamEnded
    /// It failed for good, after the retries that the transport allows itself.
    case failed(DiscoveryFailure)
}

extension DiscoveryEvent {
    /// Whether a reply is to be reported as ``streamOpened(status:headers:)`` rather than read as a whole.
    public static func opensStream(status: Int, contentType: String?) -> Bool {
        (200..<300).contains(status) && MediaType.matches(contentType, MediaType.eventStream)
    }
}

/// What to do next.
public enum DiscoveryAction: Sendable {
    /// Close any open stream, send this and report the answer.
    case send(DiscoveryExchange)
    /// Send this beside the open stream, drop its answer and read on; its failure is none of discovery.
    case sendAside(DiscoveryExchange)
    /// Send this beside the open stream and report the reply, whose body doesn't matter.
    case sendBeside(DiscoveryExchange)
    /// Resolve this reference against the address of the open stream (RFC 3986 section 5), refuse it unless it has the
    /// same origin, and send all messages there from now on.
    case enter(String)
    /// Read the next event of the open stream.
    case read
    /// Done. `goodbye`, if any, is sent as a courtesy; its failure changes nothing.
    case finished(DiscoveredService, goodbye: DiscoveryExchange?)
    /// Given up; `goodbye` as above.
    case failed(DiscoveryFailure, goodbye: DiscoveryExchange?)
}
