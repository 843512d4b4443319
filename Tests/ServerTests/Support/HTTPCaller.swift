import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

/// Something that requests can be sent through; what tests say about answers is in the extensions.
protocol HTTPCaller: Sendable {
    func send(
        _ method: String,
        _ path: String,
        bytes: [UInt8]?,
        headers: HTTPFields,
        host: String?
    ) async throws -> Answer
}

extension HTTPCaller {
    /// Sends a request; a nil body and a nil host are none at all.
    func send(
        _ method: String,
        _ path: String,
        _ body: String? = nil,
        headers: HTTPFields = [:],
        host: String? = "localhost"
    ) async throws -> Answer {
        try await send(method, path, bytes: body.map { Array($0.utf8) }, headers: headers, host: host)
    }

    /// The answer to a POST must be 200 with exactly this body.
    func expect(
        _ path: String,
        _ body: String,
        answers text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await send("POST", path, body).expect(text, sourceLocation: sourceLocation)
    }

    /// The answer to a POST must be a problem.
    func expect(
        _ path: String,
        _ body: String,
        refuses status: Int,
        _ detail: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await send("POST", path, body).expectProblem(status, detail, sourceLocation: sourceLocation)
    }

    /// What `/list_users` answers.
    func users() async throws -> String { try await send("GET", "/list_users").text }
}

/// One connection that is never opened again: whatever is sent, the next request shows that it was kept.
struct HTTPConnection: HTTPCaller {
    private let client: TestClient
    private let headers: HTTPFields

    /// Lends a connection that sends some headers with every request.
    static func with<T: Sendable>(
        _ host: String,
        _ port: Int,
        headers: HTTPFields = [:],
        _ body: @escaping @Sendable (HTTPConnection) async throws -> T
    ) async throws -> T {
        try await TestClient.withClient(host: host, port: port) {
            try await body(HTTPConnection(client: $0, headers: headers))
        }
    }

    func send(
        _ method: String,
        _ path: String,
        bytes: [UInt8]?,
        headers: HTTPFields,
        host: String?
    ) async throws -> Answer {
        let method = try #require(HTTPRequest.Method(method))
        let fields = HTTPFields(Array(self.headers) + Array(headers))
        let body = bytes.map { ByteBuffer(bytes: $0) }
        let response = try await client.execute(
            TestClient.Request(path, method: method, authority: host, headers: fields, body: body)
        )
        return Answer(
            status: response.status.code,
            headers: response.headers,
            text: response.body.map { String(buffer: $0) } ?? ""
        )
    }
}
