import AsyncHTTPClient
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Server

/// A request as a test's service received it.
struct ReceivedRequest: Sendable {
    let method: String
    let path: String
    let headers: HTTPFields
    let body: ByteBuffer
    /// The `Host` it was sent to.
    var authority: String?

    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
}

/// A small HTTP service on a free loopback port, and an outbound client to reach it with.
struct LocalService: Sendable {
    typealias Handler = @Sendable (Int, ReceivedRequest) async throws -> Response

    /// `http://127.0.0.1:<port>`.
    let origin: String
    let client: HTTPClient
    let log: LogRecorder
    private let requests: Mutex<[ReceivedRequest]>.Shared

    private init(origin: String, client: HTTPClient, log: LogRecorder, requests: Mutex<[ReceivedRequest]>.Shared) {
        self.origin = origin
        self.client = client
        self.log = log
        self.requests = requests
    }

    /// The same service under another address.
    init(copying service: LocalService, origin: String) {
        self.init(origin: origin, client: service.client, log: service.log, requests: service.requests)
    }

    /// What has arrived so far.
    var received: [ReceivedRequest] { requests.value.withLock { $0 } }

    /// Runs `body` beside a service that answers with `handler`, which is given the number of the request, from 0.
    static func run(
        _ handler: @escaping Handler,
        extraServices: @escaping @Sendable (LocalService) -> [any Service] = { _ in [] },
        _ body: @escaping @Sendable (LocalService) async throws -> Void
    ) async throws {
        let requests = Mutex<[ReceivedRequest]>.Shared([])
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let responder = CallbackResponder { (request: Request, _: BasicRequestContext) in
            let received = ReceivedRequest(
                method: request.method.rawValue,
                path: request.uri.string,
                headers: request.headers,
                body: try await request.body.collect(upTo: 1 << 20),
                authority: request.head.authority
            )
            let number = requests.value.withLock {
                $0.append(received)
                return $0.count - 1
            }
            return try await handler(number, received)
        }
        let log = LogRecorder()
        let application = Application(
            responder: responder,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
            logger: Logger(label: "service") { _ in SwiftLogNoOpLogHandler() }
        )
        let outbound = OutboundHTTPClient()
        try await Turnstile.pass {
            try await withRunning([outbound, application]) {
                let port = try #require(await ports.first { _ in true })
                let service = LocalService(
                    origin: "http://127.0.0.1:\(port)",
                    client: outbound.client,
                    log: log,
                    requests: requests
                )
                try await withRunning(extraServices(service)) { try await body(service) }
            }
        }
    }

    /// Runs services for as long as `body` runs, then shuts them down gracefully.
    private static func withRunning(_ services: [any Service], _ body: () async throws -> Void) async throws {
        guard !services.isEmpty else { return try await body() }
        let logger = Logger(label: "group") { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(services: services, logger: logger)
        async let running: Void = group.run()
        do {
            try await body()
        } catch {
            await group.triggerGracefulShutdown()
            try await running
            throw error
        }
        await group.triggerGracefulShutdown()
        try await running
    }
}

extension Mutex where Value: Sendable {
    /// A mutex that closures can share.
    final class Shared: Sendable {
        let value: Mutex<Value>

        init(_ value: sending Value) { self.value = Mutex(value) }
    }
}

extension Response {
    static func json(
        _ body: String,
        status: HTTPResponse.Status = .ok,
        headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }

    /// A stream of the given pieces that stays open until shutdown when `endless`.
    static func stream(_ pieces: [String], endless: Bool = false, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "text/event-stream"
        return pieced(pieces, endless: endless, headers: headers)
    }

    /// Head and a piece of a body that is never ended.
    static func unended(_ status: HTTPResponse.Status) -> Response {
        pieced(["x"], endless: true, status: status, headers: [.contentType: "text/plain"])
    }

    private static func pieced(
        _ pieces: [String],
        endless: Bool,
        status: HTTPResponse.Status = .ok,
        headers: HTTPFields
    ) -> Response {
        let body = ResponseBody { writer in
            for piece in pieces { try await writer.write(ByteBuffer(string: piece)) }
            if endless { try? await gracefulShutdown() }
            try await writer.finish(nil)
        }
        return Response(status: status, headers: headers, body: body)
    }
}
