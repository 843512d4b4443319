import Foundation
import HTTPTypes
import MCP
import TestSupport
import Testing

@testable import Server

@Suite("api-keys", .timeLimit(.minutes(10)))
struct APIKeysCommandTests {
    @Test(
        "a key that create prints opens a running server, list shows its use, and revoke shuts it",
        arguments: Engine.available
    )
    func lifecycle(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            #expect(try await deployment.run("api-keys", "list").output == "there are no API keys\n")
            let made = try await deployment.run(
                "api-keys",
                "create",
                "--name",
                "ci",
                "--scopes",
                "registry:read, registry:write",
                "--user",
                "ann",
                "--expires",
                "90d"
            )
            #expect(made.exitCode == 0, "\(made.errors)")
            let key = made.output.trimmingCharacters(in: .newlines)
            #expect(key.wholeMatch(of: /mcpr_[a-z2-7]{16}_[a-z2-7]{32}/) != nil)
            #expect(!made.errors.contains(key) && made.errors.contains("it can't be shown again"))
            try await deployment.serve { program, _ in
                let headers: HTTPFields = [.authorization: "Bearer \(key)"]
                try await HTTPConnection.with("127.0.0.1", try await program.port(), headers: headers) { caller in
                    #expect(try await caller.send("GET", "/list_services").status == 200)
                    #expect(try await caller.send("GET", "/list_users").status == 403)
                    let revoked = try await deployment.run("api-keys", "revoke", "ci")
                    #expect(revoked.exitCode == 0 && revoked.output == "API key 'ci' is refused from now on\n")
                    // A server that has just looked the key up goes by that for a second.
                    while try await caller.send("GET", "/list_services").status == 200 {}
                    #expect(try await caller.send("GET", "/list_services").status == 401)
                }
                #expect(!program.errors.soFar.contains(key))
            }
            // The server has ended: its last use is noted.
            let list = try JSONValue.parse(try await deployment.run("api-keys", "list", "--json").output)
            let entry = try #require(list["api_keys"]?.array?.first)
            #expect(entry["name"] == "ci" && entry["state"] == "revoked" && entry["user_id"] == "ann")
            #expect(entry["scopes"] == ["registry:read", "registry:write"])
            #expect(entry["last_used_at"]?.string != nil && entry["expires_at"]?.string != nil)
            let table = try await deployment.run("api-keys", "list").output
            #expect(table.hasPrefix("name  state    scopes                        user  ends"))
            #expect(!table.contains(key))
        }
    }

    @Test("what is wrong is told with exit code 2, and a name that was given with 1")
    func mistakes() async throws {
        try await Deployment.with(.sqlite) { deployment in
            let key = ["api-keys", "create", "--name", "a", "--scopes", "registry:read"]
            let early = try await Program.run(key, in: deployment.folder, deployment.settings)
            #expect(early.exitCode == 8 && early.errors.contains("mcp-registry migrate up"), "\(early.errors)")
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            #expect(try await Program.run(key, in: deployment.folder, deployment.settings).exitCode == 0)
            for (arguments, code, message) in [
                (key, 1, "an API key has or had the name 'a'"),
                (
                    ["api-keys", "create", "--name", "b", "--scopes", "registry:all"], 2,
                    "there is no scope 'registry:all'"
                ),
                (["api-keys", "create", "--name", "b", "--scopes", ""], 2, "scopes must not be empty"),
                (["api-keys", "create", "--name", " b", "--scopes", "registry:read"], 2, "--name must not begin"),
                (key.dropLast(3) + ["b", "--scopes", "registry:read", "--user", ""], 2, "--user must not be empty"),
                (key.dropLast(3) + ["b", "--scopes", "registry:read", "--expires", "soon"], 2, "--expires: 'soon'"),
                (key.dropLast(3) + ["b", "--scopes", "registry:read", "--expires", "0d"], 2, "--expires: '0d'"),
                (
                    key.dropLast(3) + ["b", "--scopes", "registry:read", "--expires", "2020-01-31T00:00:00Z"], 2,
                    "expires must be in the future"
                ),
                (["api-keys", "revoke", "never"], 1, "there is no API key 'never'"),
            ] as [([String], Int32, String)] {
                let ended = try await Program.run(arguments, in: deployment.folder, deployment.settings)
                #expect(ended.exitCode == code && ended.output == "", "\(arguments): \(ended.errors)")
                #expect(ended.errors.contains(message), "\(arguments): \(ended.errors)")
            }
            var settings = deployment.settings
            settings["REGISTRY_KEYRING"] = nil
            let keyless = try await Program.run(key, in: deployment.folder, settings)
            #expect(keyless.exitCode == 2 && keyless.errors.contains("no key ring is configured"))
            #expect(try await Program.run(["api-keys", "list"], in: deployment.folder, settings).exitCode == 0)
        }
    }
}
