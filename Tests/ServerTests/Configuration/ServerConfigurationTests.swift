import DBDriver
import Foundation
import Logging
import Registry
import Testing

@testable import Server

@Suite("Configuration")
struct ServerConfigurationTests {
    /// What the settings are refused with.
    private static func refusal(_ environment: [String: String]) async throws -> String? {
        let source = try await ConfigurationSource.settings(environment)
        return #expect(throws: ConfigurationError.self) { try source.server(isDevelopment: false) }?.message
    }

    @Test("the defaults are those of the original, and loopback in development")
    func defaults() async throws {
        let source = try await ConfigurationSource.settings()
        let configuration = try source.server(isDevelopment: false)
        #expect(configuration.host == "0.0.0.0")
        #expect(configuration.port == 8_000)
        #expect(configuration.adminToken == nil && configuration.keyRing == nil && configuration.rereadHook == nil)
        #expect(configuration.catalog.toolsWithoutRoles == .denied)
        #expect(configuration.logLevel == .info)
        let development = try source.server(isDevelopment: true)
        #expect(development.host == "127.0.0.1")
        for (configuration, isCreated) in [(configuration, false), (development, true)] {
            guard case .sqlite(let sqlite) = configuration.database.engine else {
                Issue.record("\(configuration.database.dialect)")
                continue
            }
            #expect(sqlite.path == "./dev.db")
            #expect(sqlite.createIfMissing == isCreated)
        }
    }

    @Test("the command line comes before the environment, and that before the file")
    func precedence() async throws {
        let file = "MCP_PORT=1\nMCP_HOST=file\nLOG_LEVEL=error\n"
        let source = try await ConfigurationSource.settings(
            ["MCP_PORT": "2", "MCP_HOST": "environment"],
            commandLine: ["MCP_PORT": "3"],
            file: file
        )
        let configuration = try source.server(isDevelopment: false)
        #expect(configuration.port == 3)
        #expect(configuration.host == "environment")
        #expect(configuration.logLevel == .error)
    }

    @Test("settings print none of their values, wherever they are looked into")
    func printed() throws {
        let source = try ConfigurationSource(commandLine: ["A": "canary"], environment: ["B": "canary"], file: nil)
        var dumped = ""
        dump([source], to: &dumped)
        for text in ["\(source)", String(reflecting: source), "\([source])", dumped] {
            #expect(!text.contains("canary"))
        }
    }

    @Test("an empty value counts as absent")
    func empty() async throws {
        let environment = [
            "DATABASE_URL": "", "MCP_PORT": "", "MCP_HOST": "", "AGENT_REREAD_HOOK": "", "REGISTRY_KEY": "",
            "REGISTRY_KEYRING_FILE": "", "TOOLS_WITHOUT_ROLES": "", "LOG_LEVEL": "",
        ]
        let configuration = try await ConfigurationSource.settings(
            environment,
            file: "MCP_PORT=1\nREGISTRY_ADMIN_TOKEN=\n"
        ).server(
            isDevelopment: false
        )
        #expect(configuration.port == 1)
        #expect(configuration.adminToken == nil && configuration.rereadHook == nil && configuration.keyRing == nil)
    }

    @Test("every setting is read")
    func all() async throws {
        let configuration = try await ConfigurationSource.settings([
            "DATABASE_URL": "mysql+pymysql://u:p@db.example:3307/r", "MCP_HOST": "::1", "MCP_PORT": "0",
            "REGISTRY_ADMIN_TOKEN": "0123456789abcdef",
            "REGISTRY_KEY": Data(KeyRing.generateKey()).base64EncodedString(),
            "AGENT_REREAD_HOOK": "https://agent.example/reread?key=1", "TOOLS_WITHOUT_ROLES": "allowed",
            "LOG_LEVEL": "trace",
        ]).server(isDevelopment: false)
        #expect(configuration.database.place == "db.example:3307/r")
        #expect(configuration.host == "::1")
        #expect(configuration.port == 0)
        #expect(configuration.adminToken == Secret("0123456789abcdef"))
        #expect(configuration.keyRing?.active == 1)
        #expect(configuration.rereadHook?.absoluteString == "https://agent.example/reread?key=1")
        #expect(configuration.catalog.toolsWithoutRoles == .allowed)
        #expect(configuration.logLevel == .trace)
    }

    @Test("discovery stays away from private addresses but in development, unless it is told otherwise")
    func discovery() async throws {
        let source = try await ConfigurationSource.settings()
        let standard = try source.server(isDevelopment: false).discovery
        #expect(
            !standard.policy.allowsPrivate && !standard.policy.allowsPlainHTTP && standard.policy.allowed == AllowList()
        )
        #expect(standard.timeouts.overall == .seconds(60) && standard.timeouts.exchange == .seconds(15))
        #expect(try source.server(isDevelopment: true).discovery.policy.allowsPrivate)
        let settings = [
            "DISCOVERY_ALLOW_PRIVATE": "false", "DISCOVERY_ALLOW": "a.example, 10.0.0.0/8",
            "DISCOVERY_ALLOW_HTTP": "true",
            "DISCOVERY_TIMEOUT": "7",
        ]
        let told = try await ConfigurationSource.settings(settings).server(isDevelopment: true).discovery
        #expect(!told.policy.allowsPrivate && told.policy.allowsPlainHTTP)
        #expect(told.policy.allowed == (try AllowList("a.example,10.0.0.0/8")))
        #expect(told.timeouts.overall == .seconds(7))
    }

    @Test(
        "a malformed value is refused by the name of its key",
        arguments: [
            ("MCP_PORT", "abc", "MCP_PORT=abc is no whole number from 0 to 65535"),
            ("MCP_PORT", "-1", "MCP_PORT=-1 is no whole number from 0 to 65535"),
            ("MCP_PORT", "65536", "MCP_PORT=65536 is no whole number from 0 to 65535"),
            ("MCP_PORT", "80.5", "MCP_PORT=80.5 is no whole number from 0 to 65535"),
            ("DISCOVERY_ALLOW_PRIVATE", "1", "DISCOVERY_ALLOW_PRIVATE=1 is none of: true, false"),
            ("DISCOVERY_ALLOW_HTTP", "True", "DISCOVERY_ALLOW_HTTP=True is none of: true, false"),
            ("DISCOVERY_TIMEOUT", "0", "DISCOVERY_TIMEOUT=0 is no whole number from 1 to 60"),
            ("DISCOVERY_TIMEOUT", "61", "DISCOVERY_TIMEOUT=61 is no whole number from 1 to 60"),
            (
                "DISCOVERY_ALLOW", "a.example,10.0.0.0/33",
                "DISCOVERY_ALLOW: 10.0.0.0/33 is no host, address or network such as tools.internal:8080, 10.1.2.3, "
                    + "[fd00::1]:8443 or 10.0.0.0/8"
            ),
            ("TOOLS_WITHOUT_ROLES", "Allowed", "TOOLS_WITHOUT_ROLES=Allowed is none of: denied, allowed"),
            (
                "LOG_LEVEL", "loud",
                "LOG_LEVEL=loud is none of: trace, debug, info, notice, warning, error, critical"
            ),
        ]
    )
    func malformed(_ key: String, _ value: String, _ message: String) async throws {
        #expect(try await Self.refusal([key: value]) == message)
    }

    @Test(
        "a malformed secret is refused without being shown",
        arguments: [
            ("DATABASE_URL", "canary"), ("DATABASE_URL", "mysql://u:canary@"),
            ("DATABASE_URL", "mysql://u:canary@h:0/d"),
            ("DATABASE_URL", "mysql://u:canary@h/d?tls=maybe"), ("DATABASE_URL", "postgresql://u:canary@h/d"),
            ("DATABASE_URL", "mysql://u:can%zzcanary@h/d"), ("REGISTRY_ADMIN_TOKEN", "canary"),
            ("REGISTRY_ADMIN_TOKEN", "canary canary canary"), ("REGISTRY_ADMIN_TOKEN", "canäry-canary-canary"),
            ("AGENT_REREAD_HOOK", "canary"), ("AGENT_REREAD_HOOK", "ftp://u:canary@h/"),
            ("AGENT_REREAD_HOOK", "http:///canary"),
            ("REGISTRY_KEY", "canary"), ("REGISTRY_KEYRING", "{\"canary\":1}"), ("REGISTRY_KEYRING", "canary"),
        ]
    )
    func malformedSecrets(_ key: String, _ value: String) async throws {
        let message = try #require(try await Self.refusal([key: value]))
        #expect(message.hasPrefix(key))
        #expect(!message.contains("canary") && !message.contains("\n"))
    }

    @Test("a secret may stand in a file, whose white space at the ends does not count")
    func secretFiles() async throws {
        try await TemporaryFolder.with { folder in
            let ring = #"{"active": 7, "keys": {"7": "\#(Data(KeyRing.generateKey()).base64EncodedString())"}}"#
            let configuration = try await ConfigurationSource.settings([
                "REGISTRY_ADMIN_TOKEN_FILE": try folder.write("token", "0123456789abcdef\r\n"),
                "REGISTRY_KEYRING_FILE": try folder.write("ring", ring + "\n"),
                "DATABASE_URL_FILE": try folder.write("url", "sqlite:///other.db\n"),
                "AGENT_REREAD_HOOK_FILE": try folder.write("hook", " http://h/x \n"),
            ]).server(isDevelopment: false)
            #expect(configuration.adminToken == Secret("0123456789abcdef"))
            #expect(configuration.keyRing?.active == 7)
            #expect(configuration.database.place == "other.db")
            #expect(configuration.rereadHook?.absoluteString == "http://h/x")
        }
    }

    @Test("a secret's file must be there, hold text, and be the only form of the secret")
    func badSecretFiles() async throws {
        try await TemporaryFolder.with { folder in
            let (empty, bytes) = (try folder.write("empty", " \n"), try folder.write("bytes", bytes: [0xff, 0xfe]))
            let missing = folder.path + "/missing"
            let key = "REGISTRY_ADMIN_TOKEN"
            for (path, message) in [
                (missing, "\(key)_FILE=\(missing) can't be read"),
                (folder.path, "\(key)_FILE=\(folder.path) can't be read"),
                (empty, "\(key)_FILE=\(empty) is empty"), (bytes, "\(key)_FILE=\(bytes) does not hold UTF-8 text"),
            ] {
                #expect(try await Self.refusal([key + "_FILE": path]) == message)
            }
            let both = try await Self.refusal([key + "_FILE": empty, key: "0123456789abcdef"])
            #expect(both == "\(key) and \(key)_FILE are both set: use one")
        }
    }

    @Test("a file that is named must be there")
    func missingFile() {
        let message = "the settings file /nowhere/settings can't be read as UTF-8 text"
        #expect(throws: ConfigurationError(message: message)) {
            try ConfigurationSource(commandLine: [:], environment: [:], file: "/nowhere/settings")
        }
    }

    @Test("the strongest place that has any form of a secret decides")
    func secretPrecedence() async throws {
        try await TemporaryFolder.with { folder in
            let ring = #"{"active": 7, "keys": {"7": "\#(Data(KeyRing.generateKey()).base64EncodedString())"}}"#
            let source = try await ConfigurationSource.settings(
                [
                    "REGISTRY_ADMIN_TOKEN_FILE": try folder.write("token", "from-the-environment"),
                    "REGISTRY_KEY": Data(KeyRing.generateKey()).base64EncodedString(),
                ],
                commandLine: ["DATABASE_URL": "sqlite:///command-line.db"],
                file: "REGISTRY_ADMIN_TOKEN=from-the-settings-file\nREGISTRY_KEYRING=\(ring)\nDATABASE_URL_FILE=/none\n"
            )
            let configuration = try source.server(isDevelopment: false)
            #expect(configuration.adminToken == Secret("from-the-environment"))
            #expect(configuration.keyRing?.active == 1)
            #expect(configuration.database.place == "command-line.db")
        }
    }

    @Test("a settings file may have comments, quotes, exports and CRLF line ends")
    func settingsFile() async throws {
        let file = "# a comment\r\n\r\nexport MCP_PORT=\"1234\"\r\nMCP_HOST = 'a b'\r\n  LOG_LEVEL=error  \r\n"
        let configuration = try await ConfigurationSource.settings(file: file).server(isDevelopment: false)
        #expect(configuration.port == 1_234)
        #expect(configuration.host == "a b")
        #expect(configuration.logLevel == .error)
    }

    @Test(
        "a line of a settings file that is no setting is refused by its number, without being shown",
        arguments: ["canary", "=canary", "A=\"canary", "A B=canary", "A=1\nA=canary", "A='canary\""]
    )
    func badSettingsFile(_ text: String) async throws {
        let error = await #expect(throws: ConfigurationError.self) {
            try await ConfigurationSource.settings(file: "# first\n" + text)
        }
        let message = try #require(error?.message)
        #expect(message.contains(":2: ") || message.contains(":3: "))
        #expect(!message.contains("canary"))
    }

    @Test(
        "an identity provider needs https and to know where clients reach us; its audiences are the endpoint and the origin"
    )
    func identityProvider() async throws {
        let base = ["OIDC_ISSUER": "https://idp.example/tenant", "PUBLIC_URL": "https://registry.example/"]
        func provider(_ settings: [String: String] = [:]) async throws -> IdentityProviderSettings? {
            try await ConfigurationSource.settings(base.merging(settings) { $1 }).identityProvider()
        }
        let settings = try #require(try await provider())
        #expect(settings.issuer == "https://idp.example/tenant" && settings.userClaim == "sub" && settings.keys == nil)
        #expect(
            settings.audiences == [
                "https://registry.example/mcp", "https://registry.example", "https://registry.example/",
            ]
        )
        #expect(settings.metadataURL == "https://registry.example/.well-known/oauth-protected-resource/mcp")
        let named = try await provider(["OIDC_AUDIENCES": "api://registry, b", "OIDC_USER_CLAIM": "email"])
        #expect(named?.audiences == ["api://registry", "b"] && named?.userClaim == "email")
        #expect(try await provider(["OIDC_ISSUER": ""]) == nil)
        #expect(try await provider(["OIDC_ISSUER": "http://127.0.0.1:9/"]) != nil)
        for (wrong, message) in [
            (["OIDC_ISSUER": "http://idp.example"], "OIDC_ISSUER is no https URL without query"),
            (["OIDC_ISSUER": "idp.example"], "OIDC_ISSUER is no https URL without query"),
            (["OIDC_JWKS_URL": "http://idp.example/keys"], "OIDC_JWKS_URL is no https URL without query"),
            (["PUBLIC_URL": ""], "OIDC_ISSUER needs PUBLIC_URL"),
            (["PUBLIC_URL": "https://a/b"], "PUBLIC_URL is no origin"),
            (["OIDC_ISSUER": "", "OIDC_AUDIENCES": "a"], "OIDC_AUDIENCES is set without OIDC_ISSUER"),
        ] {
            let error = await #expect(throws: ConfigurationError.self) { _ = try await provider(wrong) }
            #expect(error?.message.hasPrefix(message) == true, "\(wrong): \(error?.message ?? "")")
        }
    }
}
