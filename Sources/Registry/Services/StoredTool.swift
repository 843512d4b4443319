internal import DBDriver

/// A tool's row, as far as a reading of its service may change it.
struct StoredTool: Equatable {
    let id: ToolID
    /// What agents are told.
    var definition: OfferedTool
    var position: Int
    /// Since when a change waits for approval.
    var changedAt: Timestamp?
    /// Since when the service no longer offers the tool.
    var goneAt: Timestamp?
    let createdAt: Timestamp
    /// Whether any role is attached to it.
    var hasRoles = false

    /// Whether it is an imported tool that was never read, and this is how its service describes it: what was approved
    /// elsewhere were the name and the description, and they are the same. The schemas, which nobody had, are no change.
    func isCompleted(by offered: OfferedTool) -> Bool {
        let description = definition.description
        return changedAt == nil && definition == .unread(named: definition.name, description)
            && description.utf8.elementsEqual(offered.description.utf8)
    }

    /// The tool with all that its service says about it.
    func completed(by offered: OfferedTool, _ position: Int) -> StoredTool {
        var tool = self
        (tool.definition, tool.position, tool.goneAt) = (offered, position, nil)
        return tool
    }
}

/// One of the definitions that a tool has had.
struct RecordedDefinition: Equatable {
    let id: Int64
    let sha256: [UInt8]
    let isApproved: Bool
}

/// A definition to be recorded.
struct NewDefinition: Equatable {
    let toolID: ToolID
    let definition: OfferedTool
    let recordedAt: Timestamp
    /// Set when it needs no approval: it was there first, or had been approved before.
    let approvedAt: Timestamp?
}
