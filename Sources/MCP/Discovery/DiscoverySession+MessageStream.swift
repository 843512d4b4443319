/// HTTP+SSE, the transport of 2024-11-05: a GET opens a stream whose first event says where messages are posted to; all
/// answers come on that stream.
extension DiscoverySession {
    /// How far the stream of HTTP+SSE has come.
    enum MessageStream: Equatable {
        /// Not asked for.
        case untried
        /// Asked for; if there is none, the failure before it stands, or the probe is still to come.
        case asked(after: DiscoveryFailure?)
        /// Messages go to the endpoint that it named.
        case entered
    }

    /// The answers to `initialize` after which a service may be one of HTTP+SSE (2025-11-25, Streamable HTTP, "Backwards
    /// Compatibility").
    private static let streamStatuses: Set = [400, 404, 405]
    /// The errors that only services of 2026-07-28 know (Streamable HTTP, "Backward Compatibility").
    private static let modernErrors: Set = [
        JSONRPCError.headerMismatchCode, JSONRPCError.missingClientCapabilityCode,
        JSONRPCError.unsupportedProtocolVersionCode,
    ]

    /// Whether a service that refused `initialize` may be one of HTTP+SSE, and has not been asked for its stream yet.
    func mayHaveMessageStream(_ answer: Answer, _ status: Int) -> Bool {
        if case .error(let code, _) = answer, Self.modernErrors.contains(code) { return false }
        return messageStream == .untried && Self.streamStatuses.contains(status)
    }

    /// Asks for the stream.
    mutating func openMessageStream(after failure: DiscoveryFailure?) -> DiscoveryAction {
        step = .openingStream
        messageStream = .asked(after: failure)
        openStream = nil
        return .send(DiscoveryExchange(method: "GET", headers: [("Accept", MediaType.eventStream)], body: []))
    }

    /// Takes the first event of the stream.
    mutating func enter(_ event: ServerSentEvent) throws(DiscoveryFailure) -> DiscoveryAction {
        guard event.type == "endpoint" else { return try leaveMessageStream(nil) }
        guard event.data.count <= DiscoveryLimits.echoedBytes,
            let reference = String(validating: event.data, as: UTF8.self), !reference.isEmpty
        else { throw DiscoveryFailure(.unusable, "the service's stream names an endpoint that is unusable") }
        return .enter(reference)
    }

    /// There is no such stream at the address.
    mutating func leaveMessageStream(_ status: Int?) throws(DiscoveryFailure) -> DiscoveryAction {
        if let status, status == 429 || status >= 500 { throw .status(status) }
        guard case .asked(let failure) = messageStream, let failure else { return probe() }
        throw failure
    }

    /// Takes the status with which a posted message was accepted; the answer itself comes on the stream.
    mutating func acknowledge(_ status: Int, _ headers: HeaderFields) throws(DiscoveryFailure) -> DiscoveryAction {
        if status == 401 || status == 403 { throw .authorizationRequired(headers["WWW-Authenticate"]) }
        if step == .confirming { return try confirm(status) }
        guard (200..<300).contains(status) else { throw .status(status) }
        return .read
    }
}
