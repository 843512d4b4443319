internal import ArgumentParser
internal import MCP
internal import Registry

/// `mcp-registry audit verify`
struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Look whether rows of the audit log were changed or removed. Ends with 5 when they were.",
        discussion: """
            Each row's digest covers the row before it in its chain, and each chain's head says how long it is. Who can write \
            into the database could write a whole chain anew: keep the heads that --json prints elsewhere, and compare.
            """
    )

    @OptionGroup var options: RegistryOptions

    func run() async throws {
        let found = try await options.run(needsRing: false) { registry async throws(RegistryError) in
            try await registry.verifyAuditLog()
        }
        if options.json {
            try standardOutput(Self.json(found).text)
        } else {
            let lines =
                found.breaks.map(\.description) + [
                    "\(found.rows) row(s) in \(found.chains) chain(s) are as they were written"
                        + (found.unchained > 0 ? "; \(found.unchained) from before are in none" : "")
                ]
            try standardOutput(lines.joined(separator: "\n"))
        }
        if !found.breaks.isEmpty { throw ExitCode(5) }
    }

    private static func json(_ found: AuditVerification) -> JSONValue {
        [
            "chains": .integer(Int64(found.chains)), "rows": .integer(found.rows),
            "unchained": .integer(found.unchained),
            "breaks": .array(
                found.breaks.map { place in
                    [
                        "chain": .string(place.chain), "position": place.position.map(JSONValue.integer) ?? .null,
                        "problem": .string(place.problem),
                    ]
                }
            ),
            "heads": .array(
                found.heads.map { head in
                    ["chain": .string(head.chain), "length": .integer(head.length), "digest": .string(head.digest)]
                }
            ),
        ]
    }
}
