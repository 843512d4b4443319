internal import ArgumentParser
internal import Foundation
internal import Logging
internal import MCP
internal import Registry

/// `mcp-registry discover`
struct DiscoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discover",
        abstract: "Read a service as the registry would, and print what it offers.",
        discussion: """
            Needs no database and stores nothing. The settings DISCOVERY_ALLOW_PRIVATE, DISCOVERY_ALLOW, DISCOVERY_ALLOW_HTTP and \
            DISCOVERY_TIMEOUT hold as they do for serve, LOG_LEVEL too (default: warning). What the service says is \
            untrusted: control characters are shown as escapes. Ends with 0 when the service was read, and with 1 and the \
            reason on standard error when it was not.
            """
    )

    @Argument(help: "The URL of the service's MCP endpoint, such as https://pizza.example/mcp.")
    var url: String

    @Flag(help: "Print JSON: everything that was found, schemas included.")
    var json = false

    @Flag(help: "Contact loopback and private addresses, whatever DISCOVERY_ALLOW_PRIVATE says.")
    var allowPrivate = false

    @Option(help: "A file with the token to send as Authorization: Bearer …")
    var bearerFile: String?

    @Option(help: "A file of KEY=value lines to read settings from. (default: .env, if it is there)")
    var envFile: String?

    func run() async throws {
        let (settings, level, token) = try configured {
            let source = try ConfigurationSource(
                commandLine: allowPrivate ? ["DISCOVERY_ALLOW_PRIVATE": "true"] : [:],
                environment: ProcessInfo.processInfo.environment,
                file: envFile
            )
            let level = try source.choice("LOG_LEVEL", default: Logger.Level.warning)
            return (try source.discovery(isDevelopment: false), level, try bearerFile.map(Self.token))
        }
        let logger = LogFormat.text.logger(level)
        let discovery = HTTPToolDiscovery(version: Version.current, settings: settings, logger: logger)
        let service: DiscoveredService
        do throws(DiscoveryFailure) {
            service = try await discovery.service(
                at: url,
                wantsDescription: true,
                credential: token.map { DiscoveryCredential(method: .bearer, token: $0) }
            )
        } catch {
            throw CommandFailure(message: "\(url.loggableURL) can't be read: \(error.reason)")
        }
        try standardOutput(json ? DiscoveryReport.json(service) : DiscoveryReport.text(service))
    }

    private static func token(in path: String) throws -> Secret {
        guard let data = FileManager.default.contents(atPath: path), let text = String(bytes: data, encoding: .utf8)
        else {
            throw ConfigurationError(message: "--bearer-file \(path) can't be read as UTF-8 text")
        }
        let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !token.isEmpty else { throw ConfigurationError(message: "--bearer-file \(path) is empty") }
        return Secret(token)
    }
}

/// What `discover` prints.
enum DiscoveryReport {
    /// For people: one line for each tool and each warning. Text of the service stays in its line.
    static func text(_ service: DiscoveredService) -> String {
        var lines = ["protocol version: \(service.protocolVersion.rawValue)", "transport: \(transport(of: service))"]
        if let duration = service.timeToLive { lines.append("the list holds for: \(duration)") }
        if let description = service.serviceDescription { lines.append("description: \(description.inOneLine)") }
        lines.append("tools: \(service.tools.count)")
        for tool in service.tools {
            lines.append(
                "  \(tool.name.inOneLine)\(tool.description.isEmpty ? "" : " – \(tool.description.inOneLine)")"
            )
        }
        lines += service.warnings.map { "warning: \($0.inOneLine)" }
        return lines.joined(separator: "\n")
    }

    /// For programs: one object in one line.
    static func json(_ service: DiscoveredService) -> String {
        var report: JSONObject = [
            "protocol_version": .string(service.protocolVersion.rawValue),
            "transport": .string(transport(of: service)),
            "tools": .array(service.tools.map(object)),
            "warnings": .array(service.warnings.map { .string($0) }),
        ]
        report["service_description"] = service.serviceDescription.map { .string($0) }
        report["ttl_seconds"] = service.timeToLive.map { .double($0 / .seconds(1)) }
        return JSONValue.object(report).text
    }

    private static func transport(of service: DiscoveredService) -> String {
        let transport = service.usesMessageStream ? Transport.serverSentEvents : .streamableHTTP
        return transport.rawValue
    }

    private static func object(_ tool: DiscoveredTool) -> JSONValue {
        var object: JSONObject = ["name": .string(tool.name), "description": .string(tool.description)]
        object["title"] = tool.title.map { .string($0) }
        for (key, text) in [
            ("inputSchema", tool.inputSchema), ("outputSchema", tool.outputSchema), ("annotations", tool.annotations),
            ("icons", tool.icons),
        ] {
            object[key] = text.flatMap { try? JSONValue.parse($0) }
        }
        return .object(object)
    }
}
