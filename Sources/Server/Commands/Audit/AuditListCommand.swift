internal import ArgumentParser
internal import DBDriver
internal import MCP
internal import Registry

/// `mcp-registry audit`
struct AuditListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Print the rows of the audit log, the oldest first.",
        discussion: "With --json each row is a JSON object on a line of its own."
    )

    @OptionGroup var options: RegistryOptions

    @Option(help: "From when on: 30m, 12h or 7d ago, or a time such as 2027-01-31T00:00:00Z. (default: all)")
    var since: String?

    @Option(help: "Only what this caller did, such as key:agent.")
    var actor: String?

    @Option(help: "Only this action, such as token.release; token.* stands for all that begin so.")
    var action: String?

    @Option(help: "Only this request, by the X-Request-Id of its answer.")
    var request: String?

    func run() async throws {
        var filter = AuditFilter()
        filter.since = try since.map(Self.moment)
        (filter.actor, filter.action, filter.requestID) = (actor, action, request)
        let (isJSON, wanted) = (options.json, filter)
        try await options.run(needsRing: false) { registry async throws(RegistryError) in
            try await registry.auditLog(wanted) { page in
                guard !page.isEmpty else { return }
                try standardOutput(page.map { isJSON ? $0.json.text : $0.text }.joined(separator: "\n"))
            }
        }
    }

    private static func moment(_ text: String) throws -> Timestamp {
        if let duration = Duration(option: text) { return .now() + (.zero - duration) }
        if let moment = Timestamp(iso8601: text) { return moment }
        throw CommandFailure(
            message: "--since: '\(text)' is neither like 30m, 12h or 7d nor like 2027-01-31T00:00:00Z",
            exitCode: 2
        )
    }
}

extension AuditEntry {
    /// A line for people; nothing in it can pass for another line.
    fileprivate var text: String {
        [at.iso8601, outcome.rawValue, action, "by \(actor)", "on \(target)", "request \(requestID ?? "-")"]
            .joined(separator: "  ").inOneLine
    }

    fileprivate var json: JSONValue {
        [
            "id": .string(id), "at": .string(at.iso8601), "at_microseconds": .integer(at.microseconds),
            "actor": .string(actor), "action": .string(action), "target": .string(target),
            "outcome": .string(outcome.rawValue), "request_id": requestID.map(JSONValue.string) ?? .null,
        ]
    }
}
