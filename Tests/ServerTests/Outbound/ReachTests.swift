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

@Suite("What discovery connects to", .timeLimit(.minutes(10)))
struct ReachTests {
    private static let unreachable = "the service could not be reached"

    @Test("a name is looked up once, and its judged address is connected to under the name")
    func rebinding() async throws {
        try await LocalService.run { _, request in
            await HTTPToolDiscoveryTests.modern(request)
        } _: { service in
            let resolver = ScriptedResolver(["127.0.0.1"], ["127.0.0.2"])
            let policy = EndpointPolicy(allowed: try AllowList("127.0.0.1"))
            let discovery = service.discovery(policy: policy, resolver: resolver)
            let found = try await discovery.read("http://pizza.example:\(service.port)/mcp")
            #expect(found.tools.map(\.name) == ["add"])
            #expect(resolver.names == ["pizza.example"])
            #expect(service.received.count == 2)
            #expect(service.received.allSatisfy { $0.authority == "pizza.example:\(service.port)" })
            // By now the name leads elsewhere.
            #expect(await discovery.failure("http://pizza.example:\(service.port)/mcp") == Self.unreachable)
            #expect(service.received.count == 2)
        }
    }

    @Test("a redirect that spells the host in another way leads to the judged address all the same")
    func spelling() async throws {
        try await LocalService.run { number, request in
            guard number == 0 else { return await HTTPToolDiscoveryTests.modern(request) }
            let place = "http://PIZZA.example:\(request.authority?.split(separator: ":").last ?? "")/mcp"
            return Response(status: .temporaryRedirect, headers: [.location: place])
        } _: { service in
            let resolver = ScriptedResolver(["127.0.0.1"])
            let policy = EndpointPolicy(allowed: try AllowList("127.0.0.1"))
            let found = try await service.discovery(policy: policy, resolver: resolver)
                .read("http://pizza.example:\(service.port)/other")
            #expect(found.tools.map(\.name) == ["add"])
            #expect(resolver.names == ["pizza.example"])
            #expect(service.received.allSatisfy { $0.authority == "pizza.example:\(service.port)" })
        }
    }

    @Test("a client for one host sends to no other")
    func foreignHost() async throws {
        let url = try ServiceURL("http://pizza.example:1/mcp")
        let address = try #require(IPAddress("127.0.0.1"))
        let client = PinnedClient(url, [address], connectTimeout: .seconds(1), logger: quietLogger)
        await #expect(throws: PinnedClient.ForeignHost.self) {
            _ = try await client.execute(HTTPClientRequest(url: "http://other.example:1/"))
        }
        await client.close()
    }

    @Test("an address is never looked up")
    func literal() async throws {
        try await LocalService.run { _, request in
            await HTTPToolDiscoveryTests.modern(request)
        } _: { service in
            let resolver = ScriptedResolver([])
            #expect(await service.discovery(resolver: resolver).failure(service.origin + "/mcp") == nil)
            #expect(resolver.names.isEmpty)
        }
    }

    @Test("the next address is tried when one can't be connected to, and stays in use")
    func nextAddress() async throws {
        try await LocalService.run { _, request in
            await HTTPToolDiscoveryTests.modern(request)
        } _: { service in
            let resolver = ScriptedResolver(["127.0.0.9", "::1", "127.0.0.1"])
            let found = try await service.discovery(resolver: resolver).read("http://pizza.example:\(service.port)/mcp")
            #expect(found.tools.count == 1)
            #expect(resolver.names.count == 1)
        }
    }

    @Test("a forbidden name, an unknown one and one where nobody listens get the same answer; the log knows better")
    func oracle() async throws {
        try await LocalService.run { _, _ in
            Response(status: .ok)
        } _: { service in
            for (address, detail) in [
                ("127.0.0.1", "leads to 127.0.0.1: a loopback or private address"),
                ("169.254.169.254", "leads to 169.254.169.254: a link-local"),
                ("0.0.0.0", "leads to 0.0.0.0: a multicast"), (nil, "does not resolve"),
            ] as [(String?, String)] {
                let resolver = ScriptedResolver(address.map { [$0] } ?? [])
                let discovery = service.discovery(policy: EndpointPolicy(), resolver: resolver)
                #expect(await discovery.failure("https://pizza.example:\(service.port)/mcp") == Self.unreachable)
                #expect(service.log.lines.contains { $0.contains(detail) })
            }
            let nobody = service.discovery(resolver: ScriptedResolver(["127.0.0.1"]))
            #expect(await nobody.failure("http://pizza.example:1/mcp") == Self.unreachable)
            let silent = service.discovery(
                timeouts: HTTPToolDiscovery.Timeouts(overall: .milliseconds(200)),
                resolver: SilentResolver()
            )
            #expect(await silent.failure("http://pizza.example/mcp") == Self.unreachable)
            #expect(service.received.isEmpty)
        }
    }

    @Test("a forbidden address is told by the setting that would allow it")
    func forbidden() async throws {
        try await LocalService.run { _, _ in
            Response(status: .ok)
        } _: { service in
            let discovery = service.discovery(policy: EndpointPolicy())
            let reason =
                "a loopback or private address is contacted only when DISCOVERY_ALLOW_PRIVATE is true or DISCOVERY_ALLOW lists it"
            #expect(await discovery.failure(service.origin + "/mcp") == reason)
            let endpoint = try #require(Endpoint(rawValue: service.origin))
            await #expect(throws: DiscoveryError.failed(reason)) {
                try await discovery.discover(endpoint, wantsDescription: true, credential: nil)
            }
            #expect(service.received.isEmpty)
        }
    }

    @Test(
        "one redirect within the origin is followed, by all that comes after it too",
        arguments: [301, 302, 307, 308]
    )
    func redirect(status: Int) async throws {
        try await LocalService.run { _, request in
            guard request.path == "/mcp/?k=1" else {
                return Response(status: HTTPResponse.Status(code: status), headers: [.location: "/mcp/?k=1"])
            }
            return await HTTPToolDiscoveryTests.modern(request)
        } _: { service in
            #expect(await service.discovery().failure(service.origin + "/mcp") == nil)
            #expect(service.received.map(\.path) == ["/mcp", "/mcp/?k=1", "/mcp/?k=1"])
            #expect(service.received.allSatisfy { $0.method == "POST" && $0.body.readableBytes > 0 })
        }
    }

    @Test(
        "a redirect to another origin, a second one, one by 303 or to nowhere is not followed",
        arguments: [
            (307, "http://169.254.169.254/latest/meta-data/"), (308, "http://127.0.0.1:1/mcp"),
            (302, "https://127.0.0.1/"),
            (307, "//localhost/mcp"), (301, "/again"), (303, "/mcp/"), (307, nil), (307, "http://u:p@127.0.0.1/"),
            (300, "/mcp/"),
        ] as [(Int, String?)]
    )
    func foreignRedirect(status: Int, location: String?) async throws {
        try await LocalService.run { _, _ in
            Response(
                status: HTTPResponse.Status(code: status),
                headers: location.map { [.location: $0] } ?? [:]
            )
        } _: { service in
            let reason =
                "the service redirects to another address (HTTP status \(status)); register that address itself"
            #expect(await service.discovery().failure(service.origin + "/mcp") == reason)
            #expect(service.received.map(\.path) == (location == "/again" ? ["/mcp", "/again"] : ["/mcp"]))
        }
    }

    @Test("an origin that is being read already is waited for, and that has an end")
    func turns() async throws {
        try await LocalService.run { _, request in
            await HTTPToolDiscoveryTests.modern(request)
        } _: { service in
            let gate = DiscoveryGate()
            #expect(await gate.enter("127.0.0.1:\(service.port)"))
            let hasty = service.discovery(
                timeouts: HTTPToolDiscovery.Timeouts(overall: .milliseconds(200)),
                gate: gate
            )
            let reason = "too many services are being read at the moment"
            #expect(await hasty.failure(service.origin + "/mcp") == reason)
            #expect(service.received.isEmpty)
            async let patient = service.discovery(gate: gate).failure(service.origin + "/mcp")
            try await until { gate.waitingCount == 1 }
            gate.leave("127.0.0.1:\(service.port)")
            #expect(await patient == nil)
            #expect(await gate.enter("127.0.0.1:\(service.port)"))
        }
    }

    @Test("a discovery ends at once when the server shuts down, and says so")
    func shutdown() async throws {
        try await LocalService.run { _, _ in
            try? await gracefulShutdown()
            return Response(status: .ok)
        } _: { service in
            let (reasons, report) = AsyncStream.makeStream(of: String?.self)
            let job = Job { report.yield(await service.discovery().failure(service.origin + "/mcp")) }
            let group = ServiceGroup(services: [job], logger: service.log.logger)
            async let running: Void = group.run()
            try await until { !service.received.isEmpty }
            let start = ContinuousClock.now
            await group.triggerGracefulShutdown()
            #expect(await reasons.first { _ in true } == "the server is shutting down")
            #expect(ContinuousClock.now - start < .seconds(3))
            try await running
        }
    }

    private struct Job: Service {
        let work: @Sendable () async -> Void

        func run() async throws {
            await work()
            try? await gracefulShutdown()
        }
    }

    @Test("an answer that drips is given up after the time of one request")
    func drip() async throws {
        try await LocalService.run { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "application/json"],
                body: ResponseBody { writer in
                    while !Task.isShuttingDownGracefully {
                        try await writer.write(ByteBuffer(string: " "))
                        try await cancelWhenGracefulShutdown { try await Task.sleep(for: .milliseconds(20)) }
                    }
                    try await writer.finish(nil)
                }
            )
        } _: { service in
            let timeouts = HTTPToolDiscovery.Timeouts(exchange: .milliseconds(400), overall: .seconds(30))
            let failure = await service.discovery(timeouts: timeouts).failure(service.origin + "/mcp")
            #expect(failure == "the service did not answer within 0.4 seconds")
        }
    }

    @Test("more than 64 KiB of header fields are refused")
    func headers() async throws {
        try await LocalService.run { _, _ in
            var headers = HTTPFields()
            for number in 0..<7 {
                if let name = HTTPField.Name("x-\(number)") { headers[name] = String(repeating: "x", count: 10_000) }
            }
            return Response(status: .ok, headers: headers)
        } _: { service in
            let failure = await service.discovery().failure(service.origin + "/mcp")
            #expect(failure == "the service's answer has more than 64 KiB of headers")
        }
    }

    @Test("the system resolves what it knows itself")
    func systemResolver() async throws {
        let addresses = await SystemResolver().addresses(of: "localhost")
        #expect(!addresses.isEmpty && addresses.allSatisfy { AddressKind($0) == .local })
        #expect(Set(addresses).count == addresses.count)
        #expect(await SystemResolver().addresses(of: "127.0.0.1").map(\.description) == ["127.0.0.1"])
    }
}
