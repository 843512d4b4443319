import AsyncHTTPClient
import Hummingbird
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Server

@Suite("Re-read hook")
struct AgentRereadHookTests {
    /// Lets a test open the door for one answer after the other.
    private struct Door: Sendable {
        private let stream: AsyncStream<Void>
        private let continuation: AsyncStream<Void>.Continuation

        init() { (stream, continuation) = AsyncStream.makeStream() }

        func open() { continuation.yield() }
        func pass() async { _ = await stream.first { _ in true } }
    }

    /// Runs a hook towards a service.
    private static func run(
        path: String = "/reread",
        answer handler: @escaping LocalService.Handler,
        _ body: @escaping @Sendable (AgentRereadHook, LocalService) async throws -> Void
    ) async throws {
        let hooks = Mutex<[AgentRereadHook]>.Shared([])
        try await LocalService.run(
            handler,
            extraServices: { service in
                let hook = AgentRereadHook(
                    url: service.origin + path,
                    client: service.client,
                    logger: service.log.logger
                )
                hooks.value.withLock { $0 = [hook] }
                return [hook]
            }
        ) { service in
            let hook = try #require(hooks.value.withLock { $0.first })
            try await body(hook, service)
        }
    }

    @Test("a change is a GET, with nothing in it", .timeLimit(.minutes(10)))
    func delivers() async throws {
        try await Self.run { _, _ in
            Response(status: .ok)
        } _: { hook, service in
            hook.catalogChanged()
            try await until { service.received.count == 1 }
            #expect(service.received[0].method == "GET")
            #expect(service.received[0].path == "/reread")
            #expect(service.received[0].body.readableBytes == 0)
            hook.catalogChanged()
            try await until { service.received.count == 2 }
            #expect(service.log.lines.isEmpty)
        }
    }

    @Test("changes during a GET share the next one, and none delays its caller", .timeLimit(.minutes(10)))
    func coalesces() async throws {
        let door = Door()
        try await Self.run { _, _ in
            await door.pass()
            return Response(status: .ok)
        } _: { hook, service in
            hook.catalogChanged()
            try await until { service.received.count == 1 }
            for _ in 0..<1000 { hook.catalogChanged() }
            #expect(service.received.count == 1)
            door.open()
            try await until { service.received.count == 2 }
            door.open()
            hook.catalogChanged()
            try await until { service.received.count == 3 }
            door.open()
            #expect(service.received.count == 3)
        }
    }

    @Test("a failing hook is logged without its secrets, and later changes are delivered", .timeLimit(.minutes(10)))
    func failures() async throws {
        try await Self.run(path: "/reread?key=canary") { number, _ in
            number == 0
                ? Response(status: .internalServerError)
                : Response(status: .found, headers: [.location: "/elsewhere"])
        } _: { hook, service in
            for count in 1...2 {
                hook.catalogChanged()
                try await until { service.log.lines.count == count }
            }
            #expect(service.received.map(\.path) == ["/reread?key=canary", "/reread?key=canary"])
            #expect(service.log.lines[0].contains("status 500"))
            #expect(service.log.lines[0].contains("\(service.origin)/reread"))
            #expect(service.log.lines[1].contains("status 302"))
            #expect(!service.log.lines.contains { $0.contains("canary") })
        }
    }

    @Test("an unusable URL fails in the log only", .timeLimit(.minutes(10)))
    func unusable() async throws {
        try await Self.run(path: "x\u{0}") { _, _ in
            Response(status: .ok)
        } _: { hook, service in
            hook.catalogChanged()
            try await until { !service.log.lines.isEmpty }
        }
    }

    @Test("a change noted before shutdown is still delivered", .timeLimit(.minutes(10)))
    func shutdown() async throws {
        try await LocalService.run { _, _ in
            Response(status: .ok)
        } _: { service in
            let hook = AgentRereadHook(
                url: service.origin + "/reread",
                client: service.client,
                logger: service.log.logger
            )
            let group = ServiceGroup(services: [hook], logger: service.log.logger)
            async let running: Void = group.run()
            hook.catalogChanged()
            try await until { service.received.count == 1 }
            hook.catalogChanged()
            await group.triggerGracefulShutdown()
            try await running
            #expect(service.received.count == 2)
        }
    }

    @Test(
        "a URL is logged without what may be secret",
        arguments: [
            ("https://u:p@h.example:1/a/b?c=d#e", "https://h.example:1/a/b"), ("http://h", "http://h"),
            ("http://a@b@h/x@y", "http://h/x@y"), ("http://h?q=http://u:p@x/", "http://h"), ("no url", "no url"),
        ]
    )
    func loggable(url: String, expected: String) {
        #expect(url.loggableURL == expected)
    }
}
