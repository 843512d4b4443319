import DBDriver
import Registry
import TestSupport
import Testing

@Suite("What can't be imported, and why", .timeLimit(.minutes(10)))
struct ImportReasonTests {
    private typealias Original = OriginalRegistry

    /// Rows and what is said about them, by kind and row. On SQLite a column takes anything, whatever its declared length.
    private static let cases: [(row: String, about: String, reason: String)] = [
        (
            Original.service(10, " x", "https://a10.example"), "service 10",
            "service_name must not begin or end with white space"
        ),
        (
            Original.service(11, "y ", "https://a11.example"), "service 11",
            "service_name must not begin or end with white space"
        ),
        (Original.service(12, "", "https://a12.example"), "service 12", "service_name must not be empty"),
        (
            Original.service(13, "a\nb", "https://a13.example"), "service 13",
            "service_name must not contain control characters"
        ),
        (
            Original.service(14, "file", "/etc/passwd.py"), "service 14",
            "endpoint must be a URL that begins with http:// or https://, such as https://pizza.example/mcp"
        ),
        (
            Original.service(15, "twin", "HTTPS://GOOD.example:443/mcp"), "service 15",
            "its endpoint is that of the original's service 'good' too"
        ),
        (
            Original.service(16, "digest", method: "Digest"), "service 16",
            "method_authorization must be 'Basic' or 'Bearer' when authorization is required"
        ),
        (
            Original.service(17, "none", method: ""), "service 17",
            "method_authorization must be 'Basic' or 'Bearer' when authorization is required"
        ),
        (
            Original.service(18, "login", "https://u:canary@a18.example"), "service 18",
            "endpoint must not hold a user name or password: store a credential instead"
        ),
        (Original.tool(20, "good", " t"), "tool 20", "the tool's name must not begin or end with white space"),
        (Original.tool(21, "good", ""), "tool 21", "the tool's name must not be empty"),
        (Original.tool(22, "gone", "t"), "tool 22", "there is no service 'gone' in the original"),
        (Original.tool(23, "digest", "t"), "tool 23", "its service could not be brought over"),
        (Original.role(30, "r "), "role 30", "role_name must not begin or end with white space"),
        (Original.link(40, tool: 99, role: 1), "toolRole 40", "there is no tool with the id 99 in the original"),
        (Original.link(41, tool: 1, role: 99), "toolRole 41", "there is no role with the id 99 in the original"),
        (Original.link(42, tool: 23, role: 1), "toolRole 42", "its tool could not be brought over"),
        (Original.link(43, tool: 20, role: 1), "toolRole 43", "its tool could not be brought over"),
        (Original.link(44, tool: 1, role: 30), "toolRole 44", "its role could not be brought over"),
        (Original.user(50, "\t"), "user 50", "user_id must not begin or end with white space"),
        (Original.user(51, "roleless", role: 99), "userRole 51", "there is no role with the id 99 in the original"),
        (Original.user(52, "badrole", role: 30), "userRole 52", "its role could not be brought over"),
        (Original.token(60, user: 99, "good", "canary"), "token 60", "there is no user with the id 99 in the original"),
        (Original.token(61, user: 1, "gone", "canary"), "token 61", "there is no service 'gone' in the original"),
        (Original.token(62, user: 1, "digest", "canary"), "token 62", "its service could not be brought over"),
        (Original.token(63, user: 50, "good", "canary"), "token 63", "its user could not be brought over"),
        (Original.token(64, user: 51, "good", " "), "token 64", "token must not be empty or blank"),
        (Original.token(65, user: 52, "good", "canary\n"), "token 65", "token must not contain control characters"),
        (
            Original.token(66, user: 2, "good", "canary", stored: "2025-07-31 09:00:00"), "token 66",
            "it is older than its service, so it was stored for another one of that name"
        ),
    ]

    private static let good = [
        Original.service(1, "good", method: "Bearer"), Original.tool(1, "good", "t"), Original.role(1, "guest"),
        Original.link(1, tool: 1, role: 1), Original.user(1, "bob", role: 1), Original.user(2, "carl"),
        Original.token(1, user: 1, "good", "canary-bob"),
    ]

    /// What only SQLite lets in.
    private static let oversized: [(row: String, about: String, reason: String)] = {
        let long = String(repeating: "é", count: 256)
        let text = String(repeating: "x", count: 16_385)
        return [
            (
                Original.service(70, long, "https://a70.example"), "service 70",
                "service_name is longer than 255 characters"
            ),
            (
                Original.service(71, "longurl", "https://a71.example/\(text.prefix(2_048))"), "service 71",
                "endpoint is longer than 2048 bytes"
            ),
            (
                Original.service(72, "longtext", description: text), "service 72",
                "Provided description length=16385 exceeds maximum 16384 characters"
            ),
            (Original.tool(73, "good", long), "tool 73", "the tool's name is longer than 255 characters"),
            (
                Original.tool(74, "good", "longtext", text), "tool 74",
                "Provided description length=16385 exceeds maximum 16384 characters"
            ),
            (
                Original.role(75, "longprompt", String(text.prefix(8_193))), "role 75",
                "Provided default_system_prompt length=8193 exceeds maximum 8192 characters"
            ),
            (Original.user(76, long), "user 76", "user_id is longer than 255 characters"),
            (Original.user(77, "longtoken"), "", ""),
            (Original.token(77, user: 77, "good", "canary" + text), "token 77", "token is longer than 16384 bytes"),
            (Original.user(78, "' || CAST(X'ff41' AS TEXT) || '"), "user 78", "user_id is not UTF-8"),
            (Original.token(79, user: 2, "other", "' || CAST(X'c3' AS TEXT) || '"), "token 79", "token is not UTF-8"),
            (Original.service(80, "other"), "", ""),
            (
                "INSERT INTO mcp_tools VALUES (81, 'good', 'blob', X'ff')", "tool 81",
                "the tool's description is not UTF-8"
            ),
            (
                Original.service(82, "nul", "https://a82.example/' || CAST(X'00' AS TEXT) || '"), "service 82",
                "endpoint must be a URL of printable ASCII characters: percent-encode all others"
            ),
        ]
    }()

    @Test(
        "every bad row is named with its reason, and the good ones come over",
        arguments: Engine.available,
        Engine.available
    )
    func reasons(_ source: Engine, _ target: Engine) async throws {
        let cases = Self.cases + (source == .sqlite ? Self.oversized : [])
        try await Original.with(source, rows: Self.good + cases.map(\.row)) { original in
            try await RegistryFixture.with(target) { fixture in
                let report = try await fixture.importing(original)
                let found = Dictionary(uniqueKeysWithValues: report.items.map { ("\($0.kind) \($0.row)", $0.reason) })
                let expected = cases.filter { !$0.about.isEmpty }
                for (_, about, reason) in expected { #expect(found[about] == reason, "\(about)") }
                #expect(report.items.count == expected.count)
                #expect(!"\(report)".contains("canary"), "no value of a token or an endpoint is repeated")
                #expect(report.items.allSatisfy { $0.name.unicodeScalars.count <= 600 })
                #expect(try await fixture.token("bob", at: "good") == "canary-bob")
                #expect(try await fixture.tools("good").keys.sorted() == ["t"])
                let users = try await fixture.registry.users()
                #expect(users.first { $0.id.rawValue == "roleless" }.map { $0.role == nil } == true)
                #expect(try await fixture.importing(original).items == report.items, "a second run says the same")
            }
        }
    }

    @Test("a service has at most 1,000 tools", arguments: Engine.available)
    func manyTools(_ engine: Engine) async throws {
        let rows = [Original.service(1, "good")] + (1...1_003).map { Original.tool($0, "good", "t\($0)") }
        try await Original.with(.sqlite, rows: rows) { original in
            try await RegistryFixture.with(engine) { fixture in
                let report = try await fixture.importing(original)
                #expect(report.items.map(\.row) == [1_001, 1_002, 1_003])
                #expect(report.items.allSatisfy { $0.reason == "its service has more than 1000 tools" })
                #expect(try await fixture.tools("good").count == Limits.toolsPerServiceMax)
            }
        }
    }
}
