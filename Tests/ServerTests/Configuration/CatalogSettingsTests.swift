import Registry
import Testing

@testable import Server

@Suite("Settings of the catalogue and of who may call")
struct CatalogSettingsTests {
    private static func configuration(_ environment: [String: String]) async throws -> ServerConfiguration {
        try await ConfigurationSource.settings(environment).server(isDevelopment: false)
    }

    private static func refusal(_ key: String, _ value: String) async throws -> String? {
        let source = try await ConfigurationSource.settings([key: value])
        return #expect(throws: ConfigurationError.self, "\(key)=\(value)") { try source.server(isDevelopment: false) }?
            .message
    }

    @Test("by default changes are accepted, removed tools kept a week, and services read once an hour")
    func defaults() async throws {
        for environment in [
            [:],
            [
                "TOOL_CHANGES": "", "REMOVED_TOOL_GRACE": "", "REFRESH_INTERVAL": "", "ALLOWED_HOSTS": "",
                "ALLOWED_ORIGINS": "",
            ],
        ] {
            let configuration = try await Self.configuration(environment)
            #expect(configuration.catalog.toolChanges == .accept)
            #expect(configuration.catalog.removedToolGrace == .seconds(604_800))
            #expect(configuration.catalog.schedule.interval == .seconds(3_600))
            #expect(configuration.refreshes)
            #expect(configuration.allowedHosts.isEmpty && configuration.allowedOrigins.isEmpty)
        }
    }

    @Test("every setting is read, at its bounds too")
    func all() async throws {
        for (policy, grace, interval) in [
            (CatalogPolicy.ToolChanges.accept, 0, 1), (.quarantine, 31_536_000, 604_800), (.quarantine, 60, 0),
        ] {
            let configuration = try await Self.configuration([
                "TOOL_CHANGES": policy.rawValue, "REMOVED_TOOL_GRACE": "\(grace)", "REFRESH_INTERVAL": "\(interval)",
            ])
            #expect(configuration.catalog.toolChanges == policy)
            #expect(configuration.catalog.removedToolGrace == .seconds(grace))
            #expect(configuration.refreshes == (interval > 0))
            #expect(configuration.catalog.schedule.interval == .seconds(interval > 0 ? interval : 3_600))
        }
    }

    @Test("lists are separated by commas; case, blanks and empty elements don't count")
    func lists() async throws {
        let configuration = try await Self.configuration([
            "ALLOWED_HOSTS": " Registry.Example,,10.0.0.1 ,[2001:DB8::1], localhost",
            "ALLOWED_ORIGINS": "https://Admin.Example, http://localhost:3000 ,,HTTPS://[::1]:8443,http://10.0.0.1",
        ])
        #expect(configuration.allowedHosts == ["registry.example", "10.0.0.1", "[2001:db8::1]", "localhost"])
        #expect(
            configuration.allowedOrigins == [
                "https://admin.example", "http://localhost:3000", "https://[::1]:8443", "http://10.0.0.1",
            ]
        )
    }

    @Test(
        "a malformed value is refused by the name of its key",
        arguments: [
            ("TOOL_CHANGES", "Accept", "TOOL_CHANGES=Accept is none of: accept, quarantine"),
            ("TOOL_CHANGES", "reject", "TOOL_CHANGES=reject is none of: accept, quarantine"),
            ("REMOVED_TOOL_GRACE", "-1", "REMOVED_TOOL_GRACE=-1 is no whole number from 0 to 31536000"),
            ("REMOVED_TOOL_GRACE", "31536001", "REMOVED_TOOL_GRACE=31536001 is no whole number from 0 to 31536000"),
            ("REMOVED_TOOL_GRACE", "7d", "REMOVED_TOOL_GRACE=7d is no whole number from 0 to 31536000"),
            ("REFRESH_INTERVAL", "-1", "REFRESH_INTERVAL=-1 is no whole number from 0 to 604800"),
            ("REFRESH_INTERVAL", "604801", "REFRESH_INTERVAL=604801 is no whole number from 0 to 604800"),
            ("REFRESH_INTERVAL", "0.5", "REFRESH_INTERVAL=0.5 is no whole number from 0 to 604800"),
        ]
    )
    func malformed(_ key: String, _ value: String, _ message: String) async throws {
        #expect(try await Self.refusal(key, value) == message)
    }

    @Test(
        "what could never stand in Host is no host",
        arguments: [
            "https://registry.example", "registry.example:443", "registry.example/mcp", "::1", "2001:db8::1",
            "[::1]:8000",
            "[::1", "::1]", "[]", "registry example", "user@registry.example", "*", "*.example", "a?b", "a#b",
        ]
    )
    func badHosts(_ host: String) async throws {
        #expect(
            try await Self.refusal("ALLOWED_HOSTS", "good.example,\(host)")
                == "ALLOWED_HOSTS: '\(host)' is no host: write names and addresses without scheme and port, "
                + "IPv6 addresses in brackets"
        )
    }

    @Test(
        "what no browser could send as Origin is no origin",
        arguments: [
            "admin.example", "null", "*", "https://", "https://:443", "https://admin.example/",
            "https://admin.example/x",
            "https://admin.example?x", "https://admin.example#x", "https://u@admin.example", "https://admin.example:x",
            "https://admin.example:65536", "https://admin example", "https://*.example", "https://*", "https://[::1",
            "https://::1", "file:///etc", "ftp://admin.example", "//admin.example",
        ]
    )
    func badOrigins(_ origin: String) async throws {
        #expect(
            try await Self.refusal("ALLOWED_ORIGINS", "https://good.example,\(origin)")
                == "ALLOWED_ORIGINS: '\(origin)' is no origin: write them like https://admin.example or "
                + "http://localhost:3000, without a path"
        )
    }
}
