import AsyncHTTPClient
import HTTPTypes
import Hummingbird
import MCP
import NIOCore
import Registry
import ServiceLifecycle
import TestSupport
import Testing

@testable import Server

@Suite("Discovery over HTTP")
struct HTTPToolDiscoveryTests {
    private static let server = MCPServer<Void>(
        name: "demo",
        version: "1",
        title: "Demo",
        instructions: "",
        tools: [
            ToolDefinition(name: "add", title: "Add", description: "Adds.", inputSchema: ["type": "object"])
        ],
        callTool: { _, _ in .failure("not called") },
        resources: [
            ResourceDefinition(
                uri: "resource://service_description",
                name: "service_description",
                title: "Description",
                description: "What it is for.",
                mimeType: "text/plain"
            )
        ],
        readResource: { _, _ in ResourceText(mimeType: "text/plain", text: "Adds numbers.") }
    )

    /// A modern service over JSON.
    static func modern(_ request: ReceivedRequest) async -> Response {
        let answer = await server.respond(
            to: MCPHTTPRequest(
                method: request.method,
                headers: request.headers.map { (name: $0.name.rawName, value: $0.value) },
                body: Array(request.body.readableBytesView)
            ),
            from: ()
        )
        var headers = HTTPFields()
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        let body = ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
        return Response(status: HTTPResponse.Status(code: answer.status), headers: headers, body: body)
    }

    private static func discover(
        _ service: LocalService,
        path: String = "/mcp",
        wantsDescription: Bool = true,
        credential: DiscoveryCredential? = nil,
        overall: Duration = .seconds(60)
    ) async throws -> Discovery {
        let discovery = service.discovery(timeouts: HTTPToolDiscovery.Timeouts(overall: overall))
        let endpoint = try #require(Endpoint(rawValue: service.origin + path))
        return try await discovery.discover(endpoint, wantsDescription: wantsDescription, credential: credential)
    }

    private static func failure(_ service: LocalService, overall: Duration = .seconds(60)) async -> DiscoveryError? {
        do {
            _ = try await discover(service, overall: overall)
            return nil
        } catch {
            return error as? DiscoveryError
        }
    }

    /// The text of a failure with `reason`.
    private static func failed(_ service: LocalService, _ reason: String) -> DiscoveryError {
        .failed(reason)
    }

    @Test("reads tools and description of a modern service")
    func modern() async throws {
        try await LocalService.run { _, request in
            await Self.modern(request)
        } _: { service in
            let found = try await Self.discover(service)
            let tool = try #require(found.tools.first)
            #expect(tool.name == "add")
            #expect(tool.title == "Add")
            #expect(tool.inputSchema == #"{"type":"object"}"#)
            #expect(tool.annotations?.contains(#""readOnlyHint":false"#) == true)
            #expect(found.serviceDescription == "Adds numbers.")
            #expect(service.received.count == 4)
            #expect(
                service.received.allSatisfy { $0.path == "/mcp" && $0.header("user-agent") == "mcp-registry/1.2.3" }
            )
            #expect(service.received.allSatisfy { $0.header("authorization") == nil })
        }
    }

    @Test("sends the service's own credential on every request")
    func credential() async throws {
        try await LocalService.run { _, request in
            guard request.header("authorization") == "Bearer canary" else {
                return Response(status: .unauthorized, headers: [.wwwAuthenticate: "Bearer realm=\"x\""])
            }
            return await Self.modern(request)
        } _: { service in
            let credential = DiscoveryCredential(method: .bearer, token: Secret("canary"))
            let found = try await Self.discover(service, credential: credential)
            #expect(found.tools.count == 1)
            #expect(await Self.failure(service) == .authorizationRequired(scheme: "Bearer"))
            let unsendable = DiscoveryCredential(method: .bearer, token: Secret("a\r\nX: y"))
            await #expect(throws: DiscoveryError.self) { try await Self.discover(service, credential: unsendable) }
            #expect(!service.log.lines.contains { $0.contains("canary") })
        }
    }

    /// A legacy service with a session that answers in streams, and asks whether we live before its list.
    private static func legacy(_ request: ReceivedRequest) throws -> Response {
        let message: JSONValue? =
            request.body.readableBytes == 0 ? nil : try JSONValue.parse(request.body.readableBytesView)
        let event = { (result: String) in
            "event: message\r\ndata: {\"jsonrpc\":\"2.0\",\"id\":\(message?["id"]?.text ?? "0"),\"result\":\(result)}\r\n\r\n"
        }
        switch message?["method"]?.string {
        case "server/discover":
            return .json(
                #"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"m"}}"#,
                status: .badRequest
            )
        case "initialize":
            let result =
                #"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"n","version":"1"}}"#
            let session = HTTPField.Name("Mcp-Session-Id").map { HTTPField(name: $0, value: "136b") }
            return .stream([event(result)], headers: HTTPFields(session.map { [$0] } ?? []))
        case "tools/list":
            let ping = "event: message\r\ndata: {\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\r\n\r\n"
            let tools = event(#"{"tools":[{"name":"é","inputSchema":{"type":"object"}}]}"#)
            // Cut inside a two-byte character, and never ended by the service.
            return .stream(
                [": hello\r\n\r\n", ping, String(tools.prefix(60)), String(tools.dropFirst(60))],
                endless: true
            )
        default:
            return Response(status: request.method == "DELETE" ? .ok : .accepted)
        }
    }

    @Test("reads a legacy service over streams, answers its ping, and ends the session")
    func legacy() async throws {
        try await LocalService.run { _, request in
            try Self.legacy(request)
        } _: { service in
            let found = try await Self.discover(service, wantsDescription: false)
            #expect(found.tools.map(\.name) == ["é"])
            let received = service.received
            #expect(received.map(\.method) == ["POST", "POST", "POST", "POST", "POST", "DELETE"])
            #expect(String(buffer: received[4].body) == #"{"jsonrpc":"2.0","id":"p","result":{}}"#)
            #expect(received[2...].allSatisfy { $0.header("mcp-session-id") == "136b" })
        }
    }

    @Test("a goodbye and a reply to a ping whose answers never end hold nobody up")
    func unendedCourtesies() async throws {
        try await LocalService.run { number, request in
            let isCourtesy = request.method == "DELETE" || String(buffer: request.body).contains(#""result":{}"#)
            return isCourtesy ? .unended(.accepted) : try Self.legacy(request)
        } _: { service in
            let start = ContinuousClock.now
            let found = try await Self.discover(service, wantsDescription: false)
            #expect(found.tools.count == 1)
            #expect(service.received.map(\.method).last == "DELETE")
            #expect(ContinuousClock.now - start < .seconds(8), "nothing has waited for the deadline of 10 s")
        }
    }

    @Test("a service that stays silent is given up at the deadline")
    func silence() async throws {
        try await LocalService.run { _, _ in
            try? await gracefulShutdown()
            return Response(status: .ok)
        } _: { service in
            let clock = ContinuousClock()
            let start = clock.now
            let failure = await Self.failure(service, overall: .milliseconds(300))
            #expect(failure == Self.failed(service, "the service did not answer within 0.3 seconds"))
            #expect(clock.now - start < .seconds(5))
        }
    }

    @Test(
        "a stream that never answers is given up at the deadline",
        arguments: ["", ": ping\n\n", "data: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\n"]
    )
    func endlessStream(piece: String) async throws {
        try await LocalService.run { _, _ in
            .stream([piece], endless: true)
        } _: { service in
            let failure = await Self.failure(service, overall: .milliseconds(300))
            #expect(failure == Self.failed(service, "the service did not answer within 0.3 seconds"))
        }
    }

    @Test("a slow description costs the description only")
    func slowDescription() async throws {
        try await LocalService.run { _, request in
            if request.header("mcp-method") == "resources/list" { try? await gracefulShutdown() }
            return await Self.modern(request)
        } _: { service in
            let found = try await Self.discover(service, overall: .seconds(3))
            #expect(found.tools.count == 1)
            #expect(found.serviceDescription == nil)
            #expect(service.log.lines.contains { $0.contains("description could not be read") })
        }
    }

    @Test("a cancelled discovery ends soon")
    func cancellation() async throws {
        try await LocalService.run { _, _ in
            try? await gracefulShutdown()
            return Response(status: .ok)
        } _: { service in
            let task = Task { await Self.failure(service, overall: .seconds(600)) }
            try await until { !service.received.isEmpty }
            task.cancel()
            #expect(await task.value != nil)
        }
    }

    @Test("what answers with a web page is no MCP service")
    func webPage() async throws {
        try await LocalService.run { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "text/html"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: "<html>secret"))
            )
        } _: { service in
            let failure = await Self.failure(service)
            #expect(failure == Self.failed(service, "the address does not answer as an MCP service"))
        }
    }

    @Test("gateway trouble is tried again, twice at most", arguments: [502, 503, 504])
    func gatewayTrouble(status: Int) async throws {
        try await LocalService.run { number, request in
            number < 2 ? Response(status: HTTPResponse.Status(code: status)) : await Self.modern(request)
        } _: { service in
            let found = try await Self.discover(service)
            #expect(found.tools.count == 1)
            #expect(service.received.count == 6)
        }
        try await LocalService.run { _, _ in
            Response(status: HTTPResponse.Status(code: status))
        } _: { service in
            #expect(
                await Self.failure(service) == Self.failed(service, "the service answered with HTTP status \(status)")
            )
            #expect(service.received.count == 3)
        }
    }

    @Test("being told to wait is obeyed while there is time")
    func retryAfter() async throws {
        let values: [(String?, Int)] = [
            ("0", 3), ("20", 1), ("999", 1), ("-1", 1), ("soon", 1), (nil, 1), ("Sun, 06 Nov 1994 08:49:37 GMT", 3),
            ("Thu, 01 Jan 2099 00:00:00 GMT", 1),
        ]
        for (value, count) in values {
            try await LocalService.run { _, _ in
                Response(status: .tooManyRequests, headers: value.map { [.retryAfter: $0] } ?? [:])
            } _: { service in
                let failure = await Self.failure(service, overall: .seconds(15))
                #expect(failure == Self.failed(service, "the service answered with HTTP status 429"))
                #expect(service.received.count == count)
            }
        }
    }

    @Test("another fault of the service is not tried again")
    func serverFault() async throws {
        try await LocalService.run { _, _ in
            Response(status: .internalServerError)
        } _: { service in
            #expect(await Self.failure(service) == Self.failed(service, "the service answered with HTTP status 500"))
            #expect(service.received.count == 1)
        }
    }

    @Test("an answer over 4 MiB is refused, as JSON and as a stream")
    func tooLarge() async throws {
        let blob = String(repeating: " ", count: 5 << 20)
        for isStream in [false, true] {
            try await LocalService.run { _, _ in
                isStream
                    ? .stream(Array(repeating: ": " + String(repeating: "x", count: 65_536) + "\n", count: 80))
                    : .json(blob)
            } _: { service in
                let failure = await Self.failure(service)
                #expect(failure == Self.failed(service, "the service's answer is larger than 4 MiB"))
            }
        }
    }

    @Test("an event over 1 MiB is refused")
    func eventTooLarge() async throws {
        try await LocalService.run { _, _ in
            .stream(["data: " + String(repeating: "x", count: 1 << 20)], endless: true)
        } _: { service in
            #expect(await Self.failure(service) == Self.failed(service, "the service sent an event larger than 1 MiB"))
        }
    }

    /// 5 MiB of zeros, and a whole answer to the probe with 400,000 blanks behind it, both packed with gzip.
    private static let bomb =
        "H4sIAAAAAAACA+zBgQAAAACAIKX96RapCg"
        + String(repeating: "A", count: 5458)
        + "gNuDQwIAAAAAQf9fO8IK"
        + String(repeating: "A", count: 1313)
        + "BwBALGnBgAAUAA="
    private static let packed =
        "H4sIAAAAAAACA+3KMQ6CQBQE0KuQrcUghRoPYmMsECjWECAsVoS7u17C6r1q5v/ZwjtN4zK34VaE+liFQxFil8sph6VPn2HNZQvp"
        + "M8/TsvbdvV9SnMaUr49QV/W5rC5lfQ3PvG+buXnFIa6x//23fd8L"
        + String(repeating: "A", count: 516)
        + "+IMvjvgl+OAaBgA="

    @Test("a packed answer is unpacked, however small it was, and a bomb is refused by its size")
    func compression() async throws {
        for (text, isGood) in [(Self.packed, true), (Self.bomb, false)] {
            let bytes = try #require(Self.base64(text))
            try await LocalService.run { _, _ in
                Response(
                    status: .ok,
                    headers: [.contentType: "application/json", .contentEncoding: "gzip"],
                    body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
                )
            } _: { service in
                let failure = await Self.failure(service)
                let reason = "the service's answer is larger than 4 MiB"
                #expect(failure == (isGood ? nil : Self.failed(service, reason)))
            }
        }
    }

    private static func base64(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        for byte in text.utf8 where byte != UInt8(ascii: "=") {
            guard let sextet = alphabet.firstIndex(of: byte) else { return nil }
            bits = bits << 6 | UInt32(sextet)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return bytes
    }

    @Test("an address where nobody listens is out of reach, in plain words")
    func refused() async throws {
        try await LocalService.run { _, _ in
            Response(status: .ok)
        } _: { service in
            let nobody = LocalService(copying: service, origin: "http://127.0.0.1:1")
            #expect(await Self.failure(nobody) == Self.failed(nobody, "the service could not be reached"))
        }
    }

    @Test("query and fragment of an endpoint stay out of the log")
    func log() async throws {
        try await LocalService.run { _, _ in
            Response(status: .notFound)
        } _: { service in
            await #expect(throws: DiscoveryError.self) { try await Self.discover(service, path: "/mcp?key=canary") }
            #expect(service.log.lines.contains { $0.contains("\(service.origin)/mcp") })
            #expect(!service.log.lines.contains { $0.contains("canary") })
        }
    }
}
