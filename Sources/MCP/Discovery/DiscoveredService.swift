/// What discovery learnt about a service. Everything in it is the service's own word and untrusted.
public struct DiscoveredService: Sendable, Equatable {
    /// The tools in the order of the service, each name once.
    public var tools: [DiscoveredTool]
    /// The text of the resource `service_description`, trimmed, at most 16,384 characters; `nil` when it was not asked
    /// for or is not there.
    public var serviceDescription: String?
    /// Whether it was read over HTTP+SSE of 2024-11-05, not Streamable HTTP.
    public var usesMessageStream: Bool
    /// The revision of MCP that the service speaks with us.
    public var protocolVersion: ProtocolVersion
    /// How long the list of tools holds by the service's word, the shortest of its pages; `nil` when it says nothing.
    public var timeToLive: Duration?
    /// What was left out or cut, one sentence each, for the log and the person who registers the service; at most 50.
    public var warnings: [String]
}

/// A tool of a discovered service.
public struct DiscoveredTool: Sendable, Equatable {
    /// The name, 1 to 128 characters, none of them invisible.
    public var name: String
    /// The name for people, at most 255 characters.
    public var title: String?
    /// The description, cut to 16,384 characters; empty when the service gives none.
    public var description: String
    /// The arguments' JSON Schema as canonical JSON text, an object of at most 128 KiB.
    public var inputSchema: String
    /// The result's JSON Schema, in the same form and bounds.
    public var outputSchema: String?
    /// The hints about the tool's behaviour as canonical JSON text, an object of at most 128 KiB.
    public var annotations: String?
    /// Pictures for people as canonical JSON text, an array of at most 128 KiB. Their addresses are never fetched.
    public var icons: String?
}

/// Why discovery ended without a result.
public struct DiscoveryFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What can be done about a failure.
    public enum Kind: Sendable {
        /// The service wants a credential, or a better one.
        case authorizationRequired
        /// The service was not reached or is not well; later it may be.
        case unavailable
        /// What answers is no MCP service, or breaks the protocol or a limit.
        case unusable
        /// The service was not asked, or not to the end, for reasons of our own.
        case interrupted
    }

    /// What can be done about it.
    public var kind: Kind
    /// One clause in plain words, without full stop; nothing of the service's answer but status and error numbers.
    public var reason: String
    /// The scheme of the credential that the service asks for, such as `Basic` or `Bearer`: a token (RFC 9110 section 5.6.2)
    /// of at most 32 bytes. `nil` when it does not say.
    public private(set) var scheme: String?

    /// A failure from its parts.
    public init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    /// The reason.
    public var description: String { reason }

    static let authorizationRequired = DiscoveryFailure(.authorizationRequired, "the service requires authorization")
    static let notMCP = DiscoveryFailure(.unusable, "the address does not answer as an MCP service")

    /// A refusal with its challenge (RFC 9110 section 11.6.1), of which the scheme is told: `Bearer`, `Basic`, ….
    static func authorizationRequired(_ challenge: String?) -> DiscoveryFailure {
        let scheme = (challenge ?? "").prefix { $0 != " " && $0 != "," }
        guard (1...32).contains(scheme.utf8.count), scheme.utf8.allSatisfy(\.isTokenByte) else {
            return .authorizationRequired
        }
        var failure = DiscoveryFailure(.authorizationRequired, "the service requires authorization (\(scheme))")
        failure.scheme = String(scheme)
        return failure
    }

    static func status(_ status: Int) -> DiscoveryFailure {
        switch status {
        case 401, 403:
            .authorizationRequired
        case 300..<400:
            DiscoveryFailure(
                .unusable,
                "the service redirects to another address (HTTP status \(status)); register that address itself"
            )
        case 404, 405:
            DiscoveryFailure(.unusable, "there is no MCP endpoint at this address (HTTP status \(status))")
        case 429, 500...:
            DiscoveryFailure(.unavailable, "the service answered with HTTP status \(status)")
        default:
            DiscoveryFailure(.unusable, "the service answered with HTTP status \(status)")
        }
    }
}
