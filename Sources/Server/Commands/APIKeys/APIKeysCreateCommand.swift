internal import ArgumentParser
internal import DBDriver
internal import MCP
internal import Registry

/// `mcp-registry api-keys create`
struct APIKeysCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a key and print it. It is shown this once: only a hash of it is stored.",
        discussion: """
            Scopes: registry:read (look at the catalogue), registry:write (add services and change one's own), registry:admin \
            (everything in the catalogue, and any user), tokens:read (be given users' tokens), tokens:write (store them), \
            users:act (name any user; without it a key acts for its --user only).
            """
    )

    @OptionGroup var options: RegistryOptions

    @Option(help: "What the program is called; never given twice.")
    var name: String

    @Option(help: "What it may do, separated by commas or blanks, such as registry:read,tokens:read.")
    var scopes: String

    @Option(help: "The user that it acts for, when it is one only.")
    var user: String?

    @Option(
        help: "When it ends: in 90d, 12h or 30m from now, or at a time such as 2027-01-31T00:00:00Z. (default: never)"
    )
    var expires: String?

    func run() async throws {
        let (name, user, scopes, expiry) = try checked()
        let made = try await options.run(needsRing: true) { registry async throws(RegistryError) in
            try await registry.createAPIKey(name, scopes: scopes, user: user, expiresAt: expiry, by: .commandLine)
        }
        guard let text = made.text.revealText() else { throw CommandFailure(message: "the key is no text") }
        guard options.json else {
            standardError("API key '\(name)' with \(scopes.text). Keep it now: it can't be shown again.")
            return try standardOutput(text)
        }
        var answer = made.key.json(at: .now()).object ?? [:]
        answer["key"] = .string(text)
        try standardOutput(JSONValue.object(answer).text)
    }

    private func checked() throws -> (APIKeyName, UserID?, Set<Scope>, Timestamp?) {
        do {
            let words = scopes.split { $0 == "," || $0.isWhitespace }
            let unknown = words.filter { Scope(rawValue: String($0)) == nil }
            guard unknown.isEmpty else {
                let known = Scope.allCases.map(\.rawValue).joined(separator: ", ")
                throw RegistryError(.invalid, "--scopes: there is no scope '\(unknown[0])', only \(known)")
            }
            return (
                try APIKeyName(name, field: "--name"), try user.map { try UserID($0, field: "--user") },
                Scope.known(in: words.joined(separator: " ")), try expires.map(Self.time)
            )
        } catch let error as RegistryError {
            throw CommandFailure(message: error.message, exitCode: 2)
        }
    }

    /// A time from now, or a moment.
    private static func time(_ text: String) throws -> Timestamp {
        if let duration = Duration(option: text) { return .now() + duration }
        if let moment = Timestamp(iso8601: text) { return moment }
        throw RegistryError(
            .invalid,
            "--expires: '\(text)' is neither like 90d, 12h or 30m nor like 2027-01-31T00:00:00Z"
        )
    }
}
