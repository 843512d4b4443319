import HTTPTypes
import Registry
import Synchronization
import TestSupport
import Testing

@testable import Server

@Suite("Rate limits")
struct RateLimitTests {
    /// A clock that is set by hand.
    private final class Clock: Sendable {
        private let time = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { time.withLock { $0 } }
        func pass(_ duration: Duration) { time.withLock { $0 += duration } }
    }

    private static func caller(_ name: String) -> Principal { Principal(name: name, scopes: [.read]) }

    @Test("a bucket holds what two seconds allow, refills steadily, and says when to come back")
    func bucket() {
        let clock = Clock()
        let limiter = RateLimiter(RateLimits(requests: 10)) { clock.now }
        let work = RateLimiter.Work.request(Self.caller("a"))
        for _ in 1...20 { #expect(limiter.take(work) == nil) }
        #expect(limiter.take(work) == 1)
        #expect(limiter.take(.request(Self.caller("b"))) == nil, "each caller has a bucket of its own")
        clock.pass(.milliseconds(99))
        #expect(limiter.take(work) == 1)
        clock.pass(.milliseconds(2))
        #expect(limiter.take(work) == nil)
        #expect(limiter.take(work) == 1)
        clock.pass(.seconds(3_600))
        for _ in 1...20 { #expect(limiter.take(work) == nil) }
        #expect(limiter.take(work) == 1)
    }

    @Test("what is limited by the minute tells the seconds until the next is free; kinds do not count for each other")
    func minutes() {
        let clock = Clock()
        let limiter = RateLimiter(RateLimits(discoveries: 2, failures: 3)) { clock.now }
        let caller = Self.caller("a")
        for _ in 1...2 { #expect(limiter.take(.discovery(caller)) == nil) }
        #expect(limiter.take(.discovery(caller)) == 30)
        for _ in 1...3 { #expect(limiter.take(.failure("10.0.0.1")) == nil) }
        #expect(limiter.take(.failure("10.0.0.1")) == 20)
        #expect(limiter.take(.failure("10.0.0.2")) == nil)
        for _ in 1...1_000 { #expect(limiter.take(.request(caller)) == nil) }
        clock.pass(.seconds(31))
        #expect(limiter.take(.discovery(caller)) == nil)
    }

    @Test("without access control, and with a limit of 0, nothing is limited")
    func unlimited() {
        let limiter = RateLimiter(RateLimits(requests: 1, discoveries: 1))
        for _ in 1...100 {
            #expect(limiter.take(.request(.anonymous)) == nil && limiter.take(.discovery(.anonymous)) == nil)
            #expect(limiter.take(.failure("a")) == nil)
        }
    }

    @Test("however many addresses there are, the memory is bounded")
    func bounded() {
        let clock = Clock()
        let limiter = RateLimiter(RateLimits(failures: 60)) { clock.now }
        for number in 0..<(3 * RateLimiter.bucketsMax) {
            #expect(limiter.take(.failure("\(number)")) == nil)
        }
        #expect(limiter.bucketCount <= RateLimiter.bucketsMax)
    }

    @Test(
        "over HTTP the answer is 429 with Retry-After, over MCP a tool error with status 200",
        arguments: Engine.available
    )
    func answers(_ engine: Engine) async throws {
        var options = TestServer.Options(adminToken: Deployment.adminToken)
        options.rateLimits = RateLimits(requests: 1, discoveries: 1, failures: 2)
        try await TestServer.run(engine, options) { server in
            let caller = try await server.withKey("k", [.write])
            for _ in 1...2 { #expect(try await caller.send("GET", "/list_services").status == 200) }
            let limited = try await caller.send("GET", "/list_services")
            #expect(limited.status == 429 && limited.header("Retry-After") == "1")
            #expect(limited.text.contains(#""code":"rate_limited""#))
            let call = try await caller.call("list_services")
            #expect(call.status == 200)
            #expect(
                call.text.contains("too many requests: try again in 1 s") && call.text.hasSuffix(#""isError":true}}"#)
            )

            let other = try await server.withKey("o", [.write])
            try await other.addService("pizza")
            let discovery = try await server.withKey("d", [.write])
            try await discovery.done(
                "add_service",
                #"{"service_name":"a","endpoint":"http://a.example/mcp","description":"d","requires_authorization":false}"#
            )
            let again = try await discovery.call(
                "add_service",
                #"{"service_name":"b","endpoint":"http://b.example/mcp","description":"d","requires_authorization":false}"#
            )
            #expect(again.text.contains("too many requests: try again in ") && again.text.contains(#""isError":true"#))

            let wrong = CallerWithToken(caller: server, token: "wrong")
            for _ in 1...2 { #expect(try await wrong.send("GET", "/list_services").status == 401) }
            let refused = try await wrong.send("GET", "/list_services")
            #expect(refused.status == 429 && refused.header("Retry-After") == "30")
            // Whoever has the right credential is let in all the same.
            #expect(try await server.asAdministrator.send("GET", "/list_services").status == 200)
        }
    }
}
