import DBDriver
import TestSupport
import Testing

@testable import Server

@Suite("Probes")
struct ProbeTests {
    @Test("/health says that the process lives", arguments: Engine.available)
    func health(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.send("GET", "/health").expect(#"{"status":"healthy","service":"mcp-server"}"#)
        }
    }

    @Test("/ready says that requests can be served", arguments: Engine.available)
    func ready(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.send("GET", "/ready").expect(#"{"status":"ready"}"#)
        }
    }

    @Test(
        "/ready is 503 without the schema, and says what to run; /health is not concerned",
        arguments: Engine.available
    )
    func withoutSchema(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            _ = try await server.migrator.down(to: 0)
            try await server.send("GET", "/ready").expectProblem(
                503,
                "the database has no schema yet; run: mcp-registry migrate up"
            )
            #expect(try await server.send("HEAD", "/ready").status == 503)
            #expect(try await server.send("GET", "/health").status == 200)
            #expect(try await server.send("GET", "/list_services").status == 503)
        }
    }

    @Test("a database that does not answer is 503 everywhere but at /health", arguments: Engine.available)
    func withoutDatabase(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            await server.database.shutDown()
            try await server.send("GET", "/ready").expectProblem(503, "the database does not answer")
            let services = try await server.send("GET", "/list_services")
            services.expectProblem(503, "the database is not available at present, please try again")
            #expect(services.header("Retry-After") == "1")
            try await server.expect(
                "list_users",
                "{}",
                fails: "the database is not available at present, please try again"
            )
            #expect(try await server.send("GET", "/health").status == 200)
        }
    }
}
