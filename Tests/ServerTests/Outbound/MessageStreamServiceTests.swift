import HTTPTypes
import Hummingbird
import MCP
import NIOCore
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Server

/// A service of 2024-11-05: answers come on the stream that a GET has opened, in pieces of a few bytes.
private final class StreamService: Sendable {
    let endpoint: String
    let pieceLength: Int
    /// Whether the answers to messages end.
    let endsAnswers: Bool
    private let events = AsyncStream.makeStream(of: String.self)

    init(endpoint: String = "/messages/?session_id=1", pieceLength: Int = 7, endsAnswers: Bool = true) {
        self.endpoint = endpoint
        self.pieceLength = pieceLength
        self.endsAnswers = endsAnswers
    }

    func answer(_ request: ReceivedRequest) throws -> Response {
        if request.method == "GET", request.path == "/sse" { return stream() }
        guard request.method == "POST", request.path == "/messages/?session_id=1" else {
            return Response(status: .methodNotAllowed)
        }
        let message = try JSONValue.parse(request.body.readableBytesView)
        if let result = Self.result(message["method"]?.string) {
            if message["method"] == "tools/list" {
                send(["jsonrpc": "2.0", "id": "p", "method": "ping"])
            }
            send(["jsonrpc": "2.0", "id": message["id"] ?? nil, "result": result])
        }
        guard endsAnswers else { return .unended(.accepted) }
        return Response(status: .accepted, body: ResponseBody(byteBuffer: ByteBuffer(string: "Accepted")))
    }

    private static func result(_ method: String?) -> JSONValue? {
        switch method {
        case "initialize":
            [
                "protocolVersion": "2024-11-05", "capabilities": ["tools": [:]],
                "serverInfo": ["name": "n", "version": "1"],
            ]
        case "tools/list": ["tools": [["name": "é", "inputSchema": ["type": "object"]]]]
        default: nil
        }
    }

    private func send(_ message: JSONValue) {
        events.continuation.yield("event: message\r\ndata: \(message.text)\r\n\r\n")
    }

    private func stream() -> Response {
        events.continuation.yield("event: endpoint\r\ndata: \(endpoint)\r\n\r\n")
        let body = ResponseBody { [events, pieceLength] writer in
            try await withGracefulShutdownHandler {
                for await event in events.stream {
                    let bytes = Array(event.utf8)
                    for start in stride(from: 0, to: bytes.count, by: pieceLength) {
                        let end = min(start + pieceLength, bytes.count)
                        try await writer.write(ByteBuffer(bytes: bytes[start..<end]))
                    }
                }
            } onGracefulShutdown: {
                events.continuation.finish()
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/event-stream"], body: body)
    }
}

@Suite("Discovery of services of HTTP+SSE", .timeLimit(.minutes(10)))
struct MessageStreamServiceTests {
    @Test("the whole way, with events cut into pieces of any length", arguments: [1, 7, 4096])
    func flow(pieceLength: Int) async throws {
        let old = StreamService(pieceLength: pieceLength)
        try await LocalService.run { _, request in
            try old.answer(request)
        } _: { service in
            let found = try await service.discovery().read(service.origin + "/sse")
            #expect(found.tools.map(\.name) == ["é"])
            #expect(found.protocolVersion == .v20241105)
            let received = service.received
            #expect(received.map(\.method) == ["GET", "POST", "POST", "POST", "POST"])
            #expect(received.dropFirst().allSatisfy { $0.path == "/messages/?session_id=1" })
            #expect(received[0].header("accept") == "text/event-stream")
            #expect(String(buffer: received[4].body) == #"{"jsonrpc":"2.0","id":"p","result":{}}"#)
        }
    }

    @Test("an answer on the stream is taken while the message's own answer stays open")
    func unendedAcceptance() async throws {
        let old = StreamService(endsAnswers: false)
        try await LocalService.run { _, request in
            try old.answer(request)
        } _: { service in
            let timeouts = HTTPToolDiscovery.Timeouts(exchange: .seconds(5), overall: .seconds(10))
            let found = try await service.discovery(timeouts: timeouts).read(service.origin + "/sse")
            #expect(found.tools.map(\.name) == ["é"])
        }
    }

    @Test("a message that a gateway loses, or that came too soon, is sent again", arguments: [502, 503, 504, 429])
    func retries(status: Int) async throws {
        let old = StreamService()
        try await LocalService.run { number, request in
            // The first message, twice, and another one once.
            guard ![1, 2, 4].contains(number) else {
                return Response(status: HTTPResponse.Status(code: status), headers: [.retryAfter: "0"])
            }
            return try old.answer(request)
        } _: { service in
            let found = try await service.discovery().read(service.origin + "/sse")
            #expect(found.tools.map(\.name) == ["é"])
        }
        try await LocalService.run { _, request in
            let isMessage = request.method == "POST"
            return try isMessage ? Response(status: HTTPResponse.Status(code: status)) : StreamService().answer(request)
        } _: { service in
            let failure = await service.discovery().failure(service.origin + "/sse")
            #expect(failure == "the service answered with HTTP status \(status)")
            #expect(service.received.count == (status == 429 ? 2 : 4))
        }
    }

    @Test("a service at another path is found after its refusals")
    func fallback() async throws {
        let old = StreamService(endpoint: "messages/?session_id=1")
        try await LocalService.run { _, request in
            let path = request.path == "/old" && request.method == "GET" ? "/sse" : request.path
            return try old.answer(
                ReceivedRequest(method: request.method, path: path, headers: request.headers, body: request.body)
            )
        } _: { service in
            #expect(await service.discovery().failure(service.origin + "/old") == nil)
            #expect(service.received.prefix(3).map(\.method) == ["POST", "POST", "GET"])
        }
    }

    @Test(
        "an endpoint of another origin is refused, and nothing is sent there",
        arguments: ["http://169.254.169.254/latest", "//127.0.0.1:1/m", "https://127.0.0.1/m", "file:///etc/passwd"]
    )
    func hostileEndpoint(endpoint: String) async throws {
        let old = StreamService(endpoint: endpoint)
        try await LocalService.run { _, request in
            try old.answer(request)
        } _: { service in
            let failure = await service.discovery().failure(service.origin + "/sse")
            #expect(failure == "the service's stream names an endpoint of another origin")
            #expect(service.received.map(\.method) == ["GET"])
        }
    }

    @Test("a stream that never says where to post is given up")
    func silentStream() async throws {
        try await LocalService.run { _, _ in
            .stream([": hello\n\n"], endless: true)
        } _: { service in
            let timeouts = HTTPToolDiscovery.Timeouts(exchange: .milliseconds(300), overall: .seconds(10))
            let failure = await service.discovery(timeouts: timeouts).failure(service.origin + "/sse")
            #expect(failure == "the service did not answer within 0.3 seconds")
        }
    }

    @Test("an answer that never comes on the stream is given up")
    func silentAnswer() async throws {
        try await LocalService.run { _, request in
            request.method == "GET"
                ? .stream(["event: endpoint\ndata: /m\n\n"], endless: true) : Response(status: .accepted)
        } _: { service in
            let timeouts = HTTPToolDiscovery.Timeouts(exchange: .seconds(2), overall: .seconds(10))
            let failure = await service.discovery(timeouts: timeouts).failure(service.origin + "/sse")
            #expect(failure == "the service did not answer within 2 seconds")
            #expect(service.received.first?.method == "GET")
        }
    }
}
