internal import HTTPTypes
internal import HummingbirdCore
internal import MCP
internal import NIOCore
internal import Registry

/// The header `Idempotency-Key` (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/): a request that is
/// sent again with the same key is done once, and answered as the first time.
struct Idempotency: Sendable {
    /// Names the request.
    static let keyHeader = HTTPField.Name("Idempotency-Key")
    /// Says that an answer is one that was given before.
    static let replayedHeader = HTTPField.Name("Idempotency-Replayed")

    private let registry: MCPRegistry

    init(_ registry: MCPRegistry) {
        self.registry = registry
    }

    /// Answers a request that changes something.
    ///
    /// - Parameters:
    ///   - request: with or without a key.
    ///   - principal: whose keys count.
    ///   - handle: answers the request.
    /// - Returns: the answer, marked when it was given before.
    /// - Throws: ``RegistryError`` with code `conflict` when the key was another request's; ``Problem``; whatever `handle` throws
    func answer(
        _ request: Request,
        by principal: Principal,
        _ handle: (Request) async throws -> Response
    ) async throws -> Response {
        guard let key = try Self.key(of: request) else { return try await handle(request) }
        let body = try await RequestFields.collect(request)
        var collected = request
        collected.body = RequestBody(buffer: ByteBuffer(bytes: body))
        let asked = Array("\(request.method) \(request.uri.path)\n".utf8) + body
        return try await answer(asked, under: key, by: principal) {
            try await registry.perform { try await handle(collected) }
        }
    }

    /// Answers the call of a tool, whose failures are kept where it is called.
    func answer(
        callOf body: [UInt8],
        _ request: Request,
        by principal: Principal,
        _ handle: () async throws -> Response
    ) async throws -> Response {
        guard let key = try Self.key(of: request), let message = try? JSONValue.parse(body) else {
            return try await handle()
        }
        guard message.object != nil else {
            throw Problem.invalid("Idempotency-Key goes with a single message, not with a batch")
        }
        guard message["method"]?.string == "tools/call" else { return try await handle() }
        // What a client writes around the call, such as the message's id, may differ when it sends it again.
        let call: JSONValue = [
            "name": message["params"]?["name"] ?? .null, "arguments": message["params"]?["arguments"] ?? [:],
        ]
        return try await answer(Array("tools/call\n".utf8) + call.serialized(), under: key, by: principal, handle)
    }

    private func answer(
        _ asked: [UInt8],
        under key: IdempotencyKey,
        by principal: Principal,
        _ handle: () async throws -> Response
    ) async throws -> Response {
        let request = try await registry.idempotentRequest(key, for: asked, by: principal)
        do {
            var response = try await IdempotentRequest.$current.withValue(request) { try await handle() }
            if request.isRepeated, let header = Self.replayedHeader { response.headers[header] = "true" }
            return response
        } catch let error as RegistryError where request.isRepeated {
            var problem = Problem(error)
            if let header = Self.replayedHeader { problem.headers[header] = "true" }
            throw problem
        }
    }

    private static func key(of request: Request) throws -> IdempotencyKey? {
        guard let name = keyHeader, let text = request.headers[name] else { return nil }
        return try IdempotencyKey(text)
    }
}
