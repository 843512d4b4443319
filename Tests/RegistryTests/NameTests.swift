import Registry
import Testing

@Suite("Names, endpoints and limits are checked before the database")
struct NameTests {
    @Test(
        "good names are taken as they are",
        arguments: ["a", "pizza delivery", "Ünïcödé 🍕", "a'b\"c`;--", String(repeating: "🍕", count: 255)]
    )
    func goodNames(name: String) throws {
        #expect(try ServiceName(name).rawValue == name)
        #expect(try RoleName(name).rawValue == name)
        #expect(try UserID(name).rawValue == name)
    }

    @Test(
        "bad names are refused, and the field is named",
        arguments: [
            "", " ", " a", "a ", "a\n", "\u{a0}a", "a\0b", "a\u{7f}", "a\u{85}b", "\u{3000}",
            String(repeating: "a", count: 256),
        ]
    )
    func badNames(name: String) {
        for (label, attempt) in [
            ("service_name", { _ = try ServiceName(name) }), ("role_name", { _ = try RoleName(name) }),
            ("user_id", { _ = try UserID(name) }),
        ] as [(String, () throws -> Void)] {
            let error = #expect(throws: RegistryError.self, performing: attempt)
            #expect(error?.code == .invalid)
            #expect(error?.message.hasPrefix(label) == true)
        }
    }

    @Test(
        "endpoints are http or https URLs with a host",
        arguments: [
            "http://localhost:8000/mcp", "https://pizza.example", "HTTPS://Pizza.Example/mcp?x=1&y=%20",
            "http://127.0.0.1:1/", "http://[::1]:9000/mcp", "https://a.b/" + String(repeating: "x", count: 2_036),
        ]
    )
    func goodEndpoints(url: String) throws {
        #expect(try Endpoint(url).rawValue == url)
    }

    @Test(
        "everything else is refused: files, scripts, other schemes, credentials, odd characters",
        arguments: [
            "", "not a url", "/etc/passwd", "./server.py", "server.py", "file:///etc/passwd", "stdio://x", "ftp://a/b",
            "javascript:alert(1)", "http://", "http:///mcp", "http://user:pw@host/", "http://host#frag",
            "http://host:0/",
            "http://host:99999/", "http://host:x/", "http://[::1", "http://ho st/", "http://host/\n", "http://höst/",
            "http://host/\u{0}", " http://host/", "https://a.b/" + String(repeating: "x", count: 2_037),
        ]
    )
    func badEndpoints(url: String) {
        let error = #expect(throws: RegistryError.self) { try Endpoint(url) }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("pw") == false)
    }

    @Test("Basic and Bearer are the methods, and only where authorization is required")
    func methods() throws {
        func new(_ required: Bool, _ method: String) throws -> NewService {
            try NewService(
                name: "a",
                endpoint: "http://a.b",
                description: "",
                requiresAuthorization: required,
                method: method
            )
        }
        #expect(try new(true, "Basic").method == .basic)
        #expect(try new(true, "Bearer").method == .bearer)
        #expect(try new(false, "Digest").method == .none)
        for method in ["", "bearer", "BASIC", "Digest"] {
            let error = #expect(throws: RegistryError.self) { try new(true, method) }
            #expect(error?.message.contains("'Basic' or 'Bearer'") == true)
        }
    }

    @Test("a prompt has at most 8192 characters, a description 16384")
    func lengths() throws {
        #expect(try SystemPrompt(String(repeating: "🍕", count: 8_192)).text.unicodeScalars.count == 8_192)
        let prompt = #expect(throws: RegistryError.self) { try SystemPrompt(String(repeating: "a", count: 8_193)) }
        #expect(prompt?.message == "Provided default_system_prompt length=8193 exceeds maximum 8192 characters")
        let description = #expect(throws: RegistryError.self) {
            try NewService(
                name: "a",
                endpoint: "http://a.b",
                description: String(repeating: "a", count: 16_385),
                requiresAuthorization: false,
                method: ""
            )
        }
        #expect(description?.code == .invalid)
    }
}
