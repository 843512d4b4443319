public import DBDriver

/// A change of a tool that waits for an administrator's approval.
public struct ToolChange: Sendable, Equatable {
    /// A definition that the tool has had, by its digest.
    public struct Version: Sendable, Equatable {
        let id: Int64
        /// The SHA-256 of the definition's canonical JSON.
        public let sha256: [UInt8]
        /// When it was seen.
        public let recordedAt: Timestamp
        /// When it was approved; nil when it was not.
        public let approvedAt: Timestamp?
        /// Who approved it; nil also for what needed no approval.
        public let approvedBy: String?

        init(row: Row) throws(DatabaseError) {
            id = try row.get("id")
            sha256 = try row.get("sha256")
            recordedAt = try row.get("recorded_at")
            approvedAt = try row.get("approved_at")
            approvedBy = try row.get("approved_by")
        }
    }

    /// The tool.
    public let tool: Tool
    /// What was approved last; nil for a new tool.
    public let approved: OfferedTool?
    /// What the service offers now, and waits for approval.
    public let offered: OfferedTool
    /// All its definitions, oldest first; the last one is the one that waits.
    public let history: [Version]
}
