import Registry
import Synchronization
import TestSupport

/// Services that were never there: what each endpoint offers is set by the test.
final class StubDiscovery: ToolDiscovery {
    typealias Outcome = Result<Discovery, DiscoveryError>

    private struct State {
        var outcomes: [String: Outcome] = [:]
        var credentials: [String?] = []
    }

    private let state = Mutex(State())

    /// What an endpoint offers that no test has said anything about.
    static let standard = Discovery(tools: [tool("add", "Adds."), tool("price", "")], serviceDescription: "Reckons.")

    static func tool(_ name: String, _ description: String) -> OfferedTool {
        OfferedTool(name: name, description: description, inputSchema: #"{"type":"object"}"#)
    }

    /// What was sent as `Authorization` at each discovery so far.
    var credentials: [String?] { state.withLock { $0.credentials } }

    func offer(_ outcome: Outcome, at endpoint: String) {
        state.withLock { $0.outcomes[endpoint] = outcome }
    }

    func discover(
        _ endpoint: Endpoint,
        wantsDescription: Bool,
        credential: DiscoveryCredential?
    ) async throws(DiscoveryError) -> Discovery {
        let sent = credential.map { "\($0.method.rawValue) \($0.token.revealText() ?? "")" }
        let outcome = state.withLock {
            $0.credentials.append(sent)
            return $0.outcomes[endpoint.rawValue] ?? .success(Self.standard)
        }
        var found = try outcome.get()
        if !wantsDescription { found.serviceDescription = nil }
        return found
    }
}

/// Counts the changes of the catalogue that the registry has told of.
final class CountingHook: ChangeHook {
    private let tally = Tally()

    var count: Int { tally.count }

    func catalogChanged() { tally.add() }
}
