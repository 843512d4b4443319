extension DiscoverySession {
    /// A message as an exchange: with the metadata and headers of 2026-07-28 for the probe and modern services, with
    /// version and session, once they are known, for legacy ones.
    func exchange(_ message: JSONRPCMessage) -> DiscoveryExchange {
        var headers: [(name: String, value: String)] = [
            ("Accept", "\(MediaType.json), \(MediaType.eventStream)"), ("Content-Type", MediaType.json),
        ]
        var message = message
        if step == .probing || version?.isModern == true, case .request(let id, var call) = message {
            headers += modernHeaders(for: call)
            var params = call.params ?? [:]
            params["_meta"] = metadata
            call.params = params
            message = .request(id: id, call)
        } else {
            headers += sessionHeaders
        }
        return DiscoveryExchange(method: "POST", headers: headers, body: message.json.serialized())
    }

    /// Ends the session, if there is one (2025-11-25, "Session Management").
    func goodbye() -> DiscoveryExchange? {
        sessionID == nil ? nil : DiscoveryExchange(method: "DELETE", headers: sessionHeaders, body: [])
    }

    private var metadata: JSONValue {
        [
            MetaKey.protocolVersion: .string(ProtocolVersion.newestModern.rawValue),
            MetaKey.clientInfo: .object(client),
            MetaKey.clientCapabilities: [:],
        ]
    }

    private func modernHeaders(for call: JSONRPCCall) -> [(name: String, value: String)] {
        var headers = [
            (name: MCPHeader.protocolVersion, value: ProtocolVersion.newestModern.rawValue),
            (name: MCPHeader.method, value: call.method),
        ]
        if let uri = call.params?["uri"]?.string {
            headers.append((MCPHeader.name, HeaderText.encode(uri)))
        }
        return headers
    }

    private var sessionHeaders: [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        if let version { headers.append((MCPHeader.protocolVersion, version.rawValue)) }
        if let sessionID { headers.append((MCPHeader.sessionID, sessionID)) }
        return headers
    }
}
