import DBDriver
import Foundation
import HTTPTypes
import MCP
import TestSupport
import Testing

@testable import Server

@Suite("audit", .timeLimit(.minutes(5)))
struct AuditCommandTests {
    @Test(
        "rows are listed by time, caller and action, with the request that they belong to",
        arguments: Engine.available
    )
    func list(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            #expect(try await deployment.run("audit").output == "")
            try await deployment.serve { _, server in
                let headers: HTTPFields = [try #require(HTTPField.Name("X-Request-Id")): "from-the-proxy"]
                try await server.done("create_role", #"{"role_name":"r"}"#)
                let body = #"{"user_id":"u","role_name":""}"#
                let answer = try await server.send("POST", "/register_user", body, headers: headers)
                #expect(answer.status == 200 && answer.header("X-Request-Id") == "from-the-proxy")
            }
            let text = try await deployment.run("audit", "--since", "1h")
            #expect(text.exitCode == 0)
            let lines = text.output.split(separator: "\n").map(String.init)
            #expect(lines.count == 2 && lines[0].contains("  done  role.create  by admin  on "))
            #expect(
                lines.last?.hasSuffix("  done  user.register  by admin  on user 'u'  request from-the-proxy") == true
            )
            let json = try await deployment.run("audit", "--action", "user.*", "--actor", "admin", "--json")
            let row = try JSONValue.parse(json.output)
            #expect(
                row["action"] == "user.register" && row["request_id"] == "from-the-proxy" && row["outcome"] == "done"
            )
            let request = try await deployment.run("audit", "--request", "from-the-proxy")
            #expect(request.output.split(separator: "\n").map(String.init) == lines.suffix(1))
            for nothing in [
                ["--request", "another"], ["--actor", "nobody"], ["--action", "token.*"],
                ["--since", "2999-01-01T00:00:00Z"],
            ] {
                let ended = try await Program.run(["audit"] + nothing, in: deployment.folder, deployment.settings)
                #expect(ended.exitCode == 0 && ended.output == "")
            }
            let wrong = try await deployment.run("audit", "--since", "yesterday")
            #expect(wrong.exitCode == 2 && wrong.errors.contains("--since: 'yesterday' is neither like 30m"))
        }
    }

    @Test("verify ends with 5 once a row is gone, and says where", arguments: Engine.available)
    func verify(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            try await deployment.serve { _, server in
                for number in 1...9 { try await server.done("create_role", #"{"role_name":"r\#(number)"}"#) }
            }
            let whole = try await deployment.run("audit", "verify")
            #expect(whole.exitCode == 0 && whole.output.hasPrefix("9 row(s) in "), "\(whole.output)")
            try await deployment.withDatabase { database in
                _ = try await database.write(wasCommitted: { _ in false }) { session in
                    try session.execute("DELETE FROM audit_log WHERE target LIKE '%r5%'")
                }
            }
            let broken = try await deployment.run("audit", "verify")
            #expect(broken.exitCode == 5 && broken.output.contains(": is missing\n"), "\(broken.output)")
            let json = try await deployment.run("audit", "verify", "--json")
            let answer = try JSONValue.parse(json.output)
            #expect(json.exitCode == 5 && answer["breaks"]?.array?.count == 1)
            #expect(answer["heads"]?.array?.isEmpty == false)
        }
    }
}
