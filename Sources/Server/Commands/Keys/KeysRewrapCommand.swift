internal import ArgumentParser
internal import Foundation
internal import MCP
internal import Registry

/// `mcp-registry keys rewrap`
struct KeysRewrapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rewrap",
        abstract: "Seal everything anew, with the active key, that an old key has sealed; while the servers serve.",
        discussion: """
            May be stopped and run again, and by several at once. A token that is stored meanwhile wins. Rows that can't be \
            opened are named and left as they are; then the exit code is 2.
            """
    )

    @OptionGroup var options: RegistryOptions

    @Option(help: "The old key's number.")
    var from: UInt32

    @Option(help: "Rows in one transaction, 1 to 1000.")
    var batch = MCPRegistry.rewrapBatch

    @Option(help: "Rows per second at most. (default: no limit)")
    var rate: Int?

    @Flag(help: "Open everything, and write nothing.")
    var dryRun = false

    func validate() throws {
        guard (1...1_000).contains(batch) else { throw ValidationError("--batch takes 1 to 1000 rows") }
        guard (1...1_000_000).contains(rate ?? 1) else { throw ValidationError("--rate takes 1 to 1000000 rows") }
    }

    func run() async throws {
        let line = ProgressLine(isTerminal: isatty(STDERR_FILENO) == 1) { text in
            FileHandle.standardError.write(Data(text.utf8))
        }
        let (from, batch, rate, dryRun) = (from, batch, rate, dryRun)
        let begun = ContinuousClock.now
        let report = try await options.run(needsRing: true) { registry async throws(RegistryError) in
            try await registry.rewrap(from: from, batch: batch, isDryRun: dryRun, by: .commandLine) { done, total in
                line.tell(done, of: total, "sealed with key \(from)")
                guard let rate else { return }
                // Cut short by a signal, and then the next batch is too.
                try? await Task.sleep(until: begun + .seconds(done) / rate)
            }
        }
        line.end("looked at")
        try tell(report)
        if !report.unreadable.isEmpty { throw ExitCode(2) }
    }

    private func tell(_ report: RewrapReport) throws {
        guard options.json else {
            for row in report.unreadable { standardError("can't be opened: \(row.place): \(row.reason)") }
            let verb = dryRun ? "would be" : "were"
            return try standardOutput(
                "\(report.rewrapped) rows \(verb) sealed anew, \(report.overtaken) were written meanwhile, "
                    + "\(report.unreadable.count) can't be opened"
            )
        }
        let unreadable = report.unreadable.map { row -> JSONValue in
            ["row": .string(row.place), "reason": .string(row.reason)]
        }
        let answer: JSONValue = [
            "rewrapped": .integer(Int64(report.rewrapped)), "overtaken": .integer(Int64(report.overtaken)),
            "unreadable": .array(unreadable),
        ]
        try standardOutput(answer.text)
    }
}
