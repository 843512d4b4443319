import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import Server

@Suite("Secrets in what is printed", .timeLimit(.minutes(10)))
struct SecretsTests {
    private static let token = "canary-user-token-31337"
    private static let hook = "canary-hook-31337"

    @Test("nothing secret is printed, not even at the level trace", arguments: Engine.available)
    func canaries(_ engine: Engine) async throws {
        try await LocalService.run { _, request in
            // One service that wants a credential, and one that is broken.
            .json("canary-answer", status: request.path == "/closed" ? .unauthorized : .internalServerError)
        } _: { service in
            try await Deployment.with(engine) { deployment in
                let more = ["LOG_LEVEL": "trace", "AGENT_REREAD_HOOK": "\(service.origin)/x?key=\(Self.hook)"]
                let up = try await deployment.run("migrate", "up", settings: more)
                let status = try await deployment.run("migrate", "status", settings: more)
                let printed = Printed()
                try await deployment.serve(settings: more) { program, connection in
                    try await Self.use(connection, service)
                    await printed.take(program)
                }
                let all = up.output + up.errors + status.output + status.errors + (await printed.text)
                #expect(all.contains("trace") && all.contains("/token"), "the log is as full as it gets")
                for secret in Self.secrets(deployment) {
                    #expect(!all.contains(secret), "\(secret)")
                }
            }
        }
    }

    /// Requests that handle secrets, well and badly.
    private static func use(_ connection: HTTPConnection, _ service: LocalService) async throws {
        _ = try await connection.call(
            "add_service",
            #"{"service_name":"b","endpoint":"\#(service.origin)/mcp","description":"d","requires_authorization":false}"#
        )
        try await connection.done(
            "add_service",
            #"{"service_name":"s","endpoint":"\#(service.origin)/closed","description":"d","#
                + #""requires_authorization":true,"method_authorization":"Bearer"}"#
        )
        try await connection.done("create_role", #"{"role_name":"r1"}"#)
        for arguments in [
            #"{"service_name":"s","user_id":"u","token":"\#(token)"}"#,
            #"{"service_name":"s","user_id":"u","token":["\#(token)"]}"#,
            #"{"service_name":"s","user_id":"u","token":"\#(token)\u0000"}"#,
            #"{"service_name":"s","user_id":"u","tokens":"\#(token)"}"#,
        ] {
            _ = try await connection.call("authorize_user_to_service", arguments)
        }
        _ = try await connection.send(
            "POST",
            "/discovery_credential",
            #"{"service_name":"s","method_authorization":"Basic","token":"\#(token)"}"#
        )
        _ = try await connection.call("refresh_service", #"{"service_name":"s"}"#)
        #expect(service.received.contains { $0.header("Authorization") == "Basic \(token)" })
        try await connection.expect(
            "/token",
            #"{"service_name":"s","user_id":"u"}"#,
            answers: #"{"token":"\#(token)","method_authorization":"Bearer"}"#
        )
        _ = try await connection.send("GET", "/token?service_name=s&user_id=u&x=\(token)")
        _ = try await connection.send("POST", "/token", #"{"service_name":"s","user_id":"u","token":"\#(token)"}"#)
        _ = try await connection.send("POST", "/token", #"{"token":"\#(token)"#)
        _ = try await connection.send("GET", "/list_users", headers: [.authorization: "Bearer \(token)"])
    }

    private static func secrets(_ deployment: Deployment) -> [String] {
        let password = URLComponents(string: deployment.databaseURL)?.password
        return [token, hook, Deployment.adminToken, deployment.key, "canary-answer"] + (password.map { [$0] } ?? [])
    }

    /// What a process has printed.
    private actor Printed {
        var text = ""

        func take(_ program: Program) {
            text = program.output.soFar + program.errors.soFar
        }
    }
}
