internal import MCP
internal import Registry

/// What tools and resources say of the catalogue in the same words.
extension JSONObject {
    /// How the last reading of a service went.
    mutating func note(stateOf service: RegisteredService) {
        self["status"] = .string(service.status.rawValue)
        if let time = service.lastSeen { self["last_seen"] = .string(time.iso8601) }
        if let error = service.lastError { self["last_error"] = .string(error) }
    }

    /// That a change of a tool waits for approval, if one does.
    mutating func note(changeOf tool: Tool) {
        guard let time = tool.changedAt else { return }
        self["definition_changed"] = true
        self["changed_at"] = .string(time.iso8601)
    }
}

extension OfferedTool {
    /// The definition as MCP has it.
    var json: JSONValue { (try? JSONValue.parse(canonicalJSON)) ?? .null }
}
