internal import MCP
internal import Registry

/// What tools and resources say of the catalogue in the same words.
extension JSONObject {
    /// Bytes of descriptions that one answer tells in full: 256 KiB. It is read by a model.
    static let descriptionBytesMax = 256 * 1024
    /// Characters of a description when there is no room for more.
    static let briefDescriptionMax = 500

    /// A service's own words: as a whole while there is room, else their beginning, and where the rest is.
    ///
    /// - Parameters:
    ///   - description: the words.
    ///   - room: how many bytes may still be told; less afterwards.
    ///   - rest: the resource that tells more.
    mutating func tell(_ description: String, _ room: inout Int, rest: String) {
        let bytes = description.utf8.count
        guard bytes > room else {
            room -= bytes
            self["description"] = .string(description)
            return
        }
        let brief = description.shortened(to: Self.briefDescriptionMax)
        self["description"] = .string(brief)
        if brief != description { self["left_out"] = .string("the rest of the description: read the resource \(rest)") }
    }

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
