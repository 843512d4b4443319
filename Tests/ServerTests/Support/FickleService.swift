import HTTPTypes
import Hummingbird
import MCP
import Synchronization
import TestSupport

/// An MCP service that a test lets work, fail and hang while registries read it. It counts the times it is read.
final class FickleService: Sendable {
    /// How it answers.
    enum Mood: Sendable {
        /// With one tool that has this description.
        case well(String)
        /// With this status and no message.
        case ill(HTTPResponse.Status)
        /// Not before the gate is open.
        case silent(Gate)
    }

    private struct State {
        var mood = Mood.well("Adds.")
        var readings: [ContinuousClock.Instant] = []
        var requests = 0
    }

    private let state = Mutex(State())

    /// When each reading of its tools arrived.
    var readings: [ContinuousClock.Instant] { state.withLock { $0.readings } }
    /// All requests so far.
    var requests: Int { state.withLock { $0.requests } }

    func turn(_ mood: Mood) { state.withLock { $0.mood = mood } }

    /// Answers a registry's request.
    func respond(to request: ReceivedRequest) async -> Response {
        let mood = state.withLock {
            $0.requests += 1
            return $0.mood
        }
        switch mood {
        case .well(let description): return answer(request, description)
        case .ill(let status): return Response(status: status)
        case .silent(let gate):
            await gate.wait()
            return Response(status: .internalServerError)
        }
    }

    /// A service of 2026-07-28 whose tools hold for no time at all, so that only the registry's interval counts.
    private func answer(_ request: ReceivedRequest, _ description: String) -> Response {
        guard let message = try? JSONValue.parse(String(buffer: request.body)), let id = message["id"] else {
            return Response(status: .badRequest)
        }
        var result: JSONObject = ["resultType": "complete", "ttlMs": 0, "cacheScope": "private"]
        switch message["method"]?.string {
        case "server/discover":
            result["supportedVersions"] = ["2026-07-28"]
            result["capabilities"] = ["tools": [:]]
        case "tools/list":
            state.withLock { $0.readings.append(.now) }
            let schema: JSONValue = ["type": "object"]
            result["tools"] = [["name": "add", "description": .string(description), "inputSchema": schema]]
        default:
            return Response(status: .notFound)
        }
        let answer: JSONValue = ["jsonrpc": "2.0", "id": id, "result": .object(result)]
        return .json(answer.text)
    }

    /// Runs `body` beside it, with the URL of its endpoint.
    static func run(_ body: @escaping @Sendable (FickleService, String) async throws -> Void) async throws {
        let service = FickleService()
        try await LocalService.run { _, request in
            await service.respond(to: request)
        } _: { local in
            try await body(service, local.origin + "/mcp")
        }
    }
}
