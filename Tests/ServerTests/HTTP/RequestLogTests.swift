import HTTPTypes
import TestSupport
import Testing

@testable import Server

@Suite("One log line for each request")
struct RequestLogTests {
    @Test(
        "a request is logged with id, route, caller, status and time, and with nothing that it said",
        arguments: Engine.available
    )
    func line(_ engine: Engine) async throws {
        let log = LogRecorder()
        var options = TestServer.Options()
        options.logger = log.logger
        try await TestServer.run(engine, options) { server in
            let headers: HTTPFields = [try #require(HTTPField.Name("X-Request-Id")): "my-id"]
            _ = try await server.send("GET", "/token?service_name=bank&user_id=secret-user", headers: headers)
            _ = try await server.send("GET", "/no/such/path")
            _ = try await server.send("GET", "/ready")
        }
        let lines = log.lines.filter { $0.contains(" request [") }
        #expect(lines.count == 3)
        let token = try #require(lines.first)
        for part in [#""request_id": my-id"#, #""route": /token"#, #""status": 404"#, #""ms": "#, #""principal": "#] {
            #expect(token.contains(part), "\(part) is missing in \(token)")
        }
        #expect(!token.contains("secret-user"))
        #expect(lines[1].contains(#""route": none"#) && !lines[1].contains("/no/such/path"))
        #expect(lines[2].hasPrefix("debug"), "probes are no news")
    }
}
