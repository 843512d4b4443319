internal import ArgumentParser
internal import DBDriver
internal import MCP

/// `mcp-registry migrate lint`
struct MigrateLintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Look for what is dangerous in migrations, without a database. Ends with 1 when there are errors."
    )

    @OptionGroup var options: MigrateOptions

    @Flag(help: "Count warnings as errors.")
    var strict = false

    @Option(help: "Leave out versions below this one: those that are applied everywhere can't be changed any more.")
    var from = 1

    func run() throws {
        let files = try options.files()
        let findings: [MigrationLint.Finding]
        do throws(MigrationError) {
            findings = try MigrationLint.findings(in: files, from: from)
        } catch {
            throw options.failure("\(error)", error.exitCode)
        }
        let (errors, warnings) = (
            findings.filter { $0.severity == .error }, findings.filter { $0.severity == .warning }
        )
        let lines = findings.map(\.description) + ["\(errors.count) error(s), \(warnings.count) warning(s)"]
        try options.show(
            lines.joined(separator: "\n"),
            [
                "findings": .array(
                    findings.map {
                        [
                            "severity": .string($0.severity.rawValue), "place": .string($0.place),
                            "rule": .string($0.rule), "message": .string($0.message),
                        ]
                    }
                )
            ]
        )
        if !(strict ? findings : errors).isEmpty { throw ExitCode(1) }
    }
}
