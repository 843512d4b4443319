import MCP
import Registry
import Synchronization
import TestSupport
import Testing

@testable import Server

extension LocalService {
    /// A discovery that may contact loopback, and logs to this service's recorder.
    func discovery(
        policy: EndpointPolicy = EndpointPolicy(allowsPrivate: true),
        timeouts: HTTPToolDiscovery.Timeouts = HTTPToolDiscovery.Timeouts(overall: .seconds(60)),
        resolver: any AddressResolver = SystemResolver(),
        gate: DiscoveryGate = DiscoveryGate()
    ) -> HTTPToolDiscovery {
        HTTPToolDiscovery(
            version: "1.2.3",
            settings: DiscoverySettings(policy: policy, timeouts: timeouts),
            resolver: resolver,
            gate: gate,
            logger: log.logger
        )
    }

    /// The port it listens on.
    var port: String { origin.split(separator: ":").last.map(String.init) ?? "" }
}

extension HTTPToolDiscovery {
    /// What can be read at an address.
    func read(_ url: String) async throws(DiscoveryFailure) -> DiscoveredService {
        try await service(at: url, wantsDescription: false, credential: nil)
    }

    /// Why an address can't be read; nil when it can.
    func failure(_ url: String) async -> String? {
        do throws(DiscoveryFailure) {
            _ = try await read(url)
            return nil
        } catch {
            return error.reason
        }
    }
}

/// Answers each question with the next of its answers, the last one for ever.
final class ScriptedResolver: AddressResolver {
    private let state: Mutex<(answers: [[String]], names: [String])>

    init(_ answers: [String]...) {
        state = Mutex((answers, []))
    }

    /// The names asked for.
    var names: [String] { state.withLock { $0.names } }

    func addresses(of name: String) async -> [IPAddress] {
        state.withLock { state in
            state.names.append(name)
            let answer = state.answers.count > 1 ? state.answers.removeFirst() : state.answers.first ?? []
            return answer.compactMap { IPAddress($0) }
        }
    }
}

/// Never answers, as a name server that is down.
struct SilentResolver: AddressResolver {
    func addresses(of name: String) async -> [IPAddress] {
        try? await Task.sleep(for: .seconds(600))
        return []
    }
}
