/// What comes on a stream.
extension DiscoverySession {
    mutating func read(_ event: ServerSentEvent) throws(DiscoveryFailure) -> DiscoveryAction {
        guard let openStream else { throw .notMCP }
        if step == .openingStream { return try enter(event) }
        guard event.type == "message", !event.data.isEmpty else { return .read }
        try DiscoveryLimits.checkValues(in: event.data)
        guard let value = try? JSONValue.parse(event.data), let message = try? JSONRPCMessage(value) else {
            throw DiscoveryFailure(.unusable, "the service sent a message that is not JSON-RPC")
        }
        switch message {
        case .notification:
            return .read
        case .request(let id, let call):
            return try answer(call, id)
        case .response(let id, let outcome):
            guard let answer = Answer(id, outcome, awaiting: lastID) else { return .read }
            return try handle(answer, openStream.status, openStream.headers)
        }
    }

    /// Services of the legacy revisions may ask us while they answer; modern ones have no way to.
    private mutating func answer(_ call: JSONRPCCall, _ id: JSONRPCID) throws(DiscoveryFailure) -> DiscoveryAction {
        guard step != .probing, version?.isModern != true else { return .read }
        serviceRequests += 1
        guard serviceRequests <= DiscoveryLimits.serviceRequests else {
            throw DiscoveryFailure(.unusable, "the service sends too many requests of its own")
        }
        let outcome: Result<JSONValue, JSONRPCError> =
            call.method == "ping" ? .success([:]) : .failure(.methodNotFound(call.method))
        return .sendAside(exchange(.response(id: id, outcome)))
    }

    /// A stream that ends before the answer: lists and reads are asked for once more, since they change nothing.
    mutating func endStream() throws(DiscoveryFailure) -> DiscoveryAction {
        switch step {
        case .probing:
            return initialize()
        case .openingStream:
            return try leaveMessageStream(nil)
        case .listingTools, .listingResources, .readingDescription:
            if !hasAskedAgain, messageStream != .entered {
                hasAskedAgain = true
                return send(lastCall)
            }
        case .initializing, .confirming, .over: break
        }
        throw DiscoveryFailure(.unusable, "the service ended its answer early")
    }
}
