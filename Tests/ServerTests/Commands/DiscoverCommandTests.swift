import HTTPTypes
import Hummingbird
import MCP
import Testing

@testable import Server

@Suite("The command discover", .timeLimit(.minutes(10)))
struct DiscoverCommandTests {
    private static func run(
        _ arguments: [String],
        _ settings: [String: String] = [:],
        files: [String: String] = [:]
    ) async throws -> Program.Ended {
        try await TemporaryFolder.with { folder in
            for (name, text) in files { _ = try folder.write(name, text) }
            return try await Program.run(["discover"] + arguments, in: folder, settings)
        }
    }

    /// A modern service whose words would move a terminal's cursor.
    private static func service(_ request: ReceivedRequest) throws -> Response {
        let message = try JSONValue.parse(request.body.readableBytesView)
        let result: JSONValue =
            switch message["method"]?.string {
            case "server/discover":
                ["supportedVersions": ["2026-07-28"], "capabilities": ["tools": [:], "resources": [:]]]
            case "tools/list":
                [
                    "ttlMs": 1500,
                    "tools": [
                        [
                            "name": "add", "title": "Add", "description": "Adds\nnumbers\u{1B}[2J.",
                            "inputSchema": ["b": 1, "a": 2],
                        ],
                        ["name": "bare", "inputSchema": [:], "icons": [["src": "x"]]], ["name": "none"],
                    ],
                ]
            case "resources/list": ["resources": [["name": "service_description", "uri": "r://d"]]]
            default: ["contents": [["text": "Counts."]]]
            }
        return .json(JSONValue.object(["jsonrpc": "2.0", "id": message["id"] ?? nil, "result": result]).text)
    }

    @Test("prints what a service offers, for people and as JSON")
    func report() async throws {
        try await LocalService.run { _, request in
            try Self.service(request)
        } _: { service in
            let text = try await Self.run(["--allow-private", service.origin])
            #expect(text.exitCode == 0 && text.errors.isEmpty)
            let lines = [
                "protocol version: 2026-07-28", "transport: streamable_http", "the list holds for: 1.5 seconds",
                "description: Counts.", "tools: 2",
                #"  add – Adds numbers\u{1b}[2J."#, "  bare",
                #"warning: tool "none" was left out: it has no input schema"#,
            ]
            #expect(text.output == lines.joined(separator: "\n") + "\n")
            let json = try await Self.run([service.origin + "/mcp", "--json"], ["DISCOVERY_ALLOW_PRIVATE": "true"])
            #expect(json.exitCode == 0)
            #expect(
                try JSONValue.parse(json.output) == [
                    "protocol_version": "2026-07-28", "transport": "streamable_http",
                    "tools": [
                        [
                            "name": "add", "description": "Adds\nnumbers\u{1B}[2J.", "title": "Add",
                            "inputSchema": ["a": 2, "b": 1],
                        ],
                        ["name": "bare", "description": "", "inputSchema": [:], "icons": [["src": "x"]]],
                    ],
                    "warnings": [#"tool "none" was left out: it has no input schema"#],
                    "service_description": "Counts.", "ttl_seconds": 1.5,
                ]
            )
        }
    }

    @Test("says in one sentence why a service can't be read")
    func failures() async throws {
        let private_ =
            "a loopback or private address is contacted only when DISCOVERY_ALLOW_PRIVATE is true or DISCOVERY_ALLOW lists it"
        for (arguments, settings, reason) in [
            (["http://127.0.0.1:1/mcp?key=canary"], [:], "http://127.0.0.1:1/mcp can't be read: \(private_)"),
            (
                ["http://127.0.0.1:1/mcp"], ["DISCOVERY_ALLOW": "127.0.0.0/8:1"],
                "http://127.0.0.1:1/mcp can't be read: the service could not be reached"
            ),
            (["nonsense"], [:], "nonsense can't be read: only http and https addresses can be read"),
        ] as [([String], [String: String], String)] {
            let ended = try await Self.run(arguments, settings)
            #expect(ended.exitCode == 1 && ended.output.isEmpty)
            #expect(ended.errors == "mcp-registry: \(reason)\n")
        }
    }

    @Test("sends the token of a file, and says what is missing without it")
    func bearer() async throws {
        try await LocalService.run { _, request in
            request.header("authorization") == "Bearer canary"
                ? try Self.service(request) : Response(status: .unauthorized)
        } _: { service in
            let arguments = ["--allow-private", service.origin]
            let files = ["token": "canary\n", "empty": " \n"]
            #expect(try await Self.run(arguments + ["--bearer-file", "token"], files: files).exitCode == 0)
            let refused = try await Self.run(arguments)
            #expect(refused.exitCode == 1)
            #expect(
                refused.errors == "mcp-registry: \(service.origin) can't be read: the service requires authorization\n"
            )
            for (file, problem) in [("none", "can't be read as UTF-8 text"), ("empty", "is empty")] {
                let ended = try await Self.run(arguments + ["--bearer-file", file], files: files)
                #expect(ended.exitCode == 2)
                #expect(ended.errors == "mcp-registry: --bearer-file \(file) \(problem)\n")
            }
        }
    }

    @Test("wrong usage and wrong settings end with 2")
    func usage() async throws {
        #expect(try await Self.run([]).exitCode == 2)
        let ended = try await Self.run(["https://a.example"], ["DISCOVERY_ALLOW_PRIVATE": "yes"])
        #expect(ended.exitCode == 2)
        #expect(ended.errors == "mcp-registry: DISCOVERY_ALLOW_PRIVATE=yes is none of: true, false\n")
    }
}
