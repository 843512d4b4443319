/// The client's side of discovering a service over Streamable HTTP, free of input and output: an event goes in, the next
/// action comes out.
///
/// It asks for `server/discover` first; whatever is not a modern service's answer leads to the handshake of the legacy
/// revisions (2026-07-28, Streamable HTTP, "Backward Compatibility"). Then it lists the tools on all pages and, when
/// wanted, reads the resource `service_description`. A fault in that last part costs the description only.
///
/// A service that knows neither is asked for the stream of HTTP+SSE (2024-11-05), on which its answers then come.
public struct DiscoverySession: Sendable {
    enum Step {
        case probing, openingStream, initializing, confirming, listingTools, listingResources, readingDescription, over
    }

    let client: JSONObject
    private let wantsDescription: Bool
    var step = Step.probing
    /// The revision agreed on; `nil` before.
    private(set) var version: ProtocolVersion?
    private(set) var sessionID: String?
    private var capabilities: JSONObject = [:]

    private(set) var lastID: Int64 = 0
    var lastCall = JSONRPCCall(method: "")
    var openStream: (status: Int, headers: HeaderFields)?
    var serviceRequests = 0
    private var hasProbedAgain = false
    private var hasInitializedAgain = false
    var hasAskedAgain = false
    let startsWithStream: Bool
    var messageStream = MessageStream.untried

    private var walk = PageWalk()
    private var intake = ToolIntake()
    private var search = DescriptionSearch()
    private var serviceDescription: String?

    /// A session for one service.
    ///
    /// - Parameters:
    ///   - wantsDescription: Whether to look for the service's description among its resources.
    ///   - startsWithStream: Whether the address looks like one of HTTP+SSE, so that this is tried first.
    ///   - clientName: Our name, told to the service.
    ///   - clientVersion: Our version, told to the service.
    public init(
        wantsDescription: Bool,
        startsWithStream: Bool = false,
        clientName: String,
        clientVersion: String
    ) {
        self.wantsDescription = wantsDescription
        self.startsWithStream = startsWithStream
        client = ["name": .string(clientName), "version": .string(clientVersion)]
    }

    /// Takes what happened and says what to do. Nothing more is to be reported after `finished` and `failed`.
    public mutating func next(_ event: DiscoveryEvent) -> DiscoveryAction {
        do {
            return try advance(event)
        } catch {
            return giveUp(error, after: event)
        }
    }

    private mutating func advance(_ event: DiscoveryEvent) throws(DiscoveryFailure) -> DiscoveryAction {
        switch event {
        case .start:
            return startsWithStream ? openMessageStream(after: nil) : probe()
        case .failed(let failure):
            throw failure
        case .reply(let status, let headers, _) where messageStream == .entered:
            return try acknowledge(status, HeaderFields(fields: headers))
        case .reply(let status, let headers, let body):
            try DiscoveryLimits.checkValues(in: body)
            return try handle(Answer(body, awaiting: lastID), status, HeaderFields(fields: headers))
        case .streamOpened(let status, let headers):
            openStream = (status, HeaderFields(fields: headers))
            return step == .confirming ? try confirm(status) : .read
        case .entered:
            messageStream = .entered
            return initialize()
        case .streamEvent(let event):
            return try read(event)
        case .streamEnded:
            return try endStream()
        }
    }

    mutating func handle(
        _ answer: Answer,
        _ status: Int,
        _ headers: HeaderFields
    ) throws(DiscoveryFailure) -> DiscoveryAction {
        if status == 401 || status == 403 { throw .authorizationRequired(headers["WWW-Authenticate"]) }
        if (300..<400).contains(status) { throw .status(status) }
        switch step {
        case .probing: return try judgeProbe(answer, status)
        case .openingStream: return try leaveMessageStream(status)
        case .initializing:
            let result: JSONObject
            do throws(DiscoveryFailure) {
                result = try self.result(answer, status)
            } catch {
                guard mayHaveMessageStream(answer, status) else { throw error }
                return openMessageStream(after: error)
            }
            return try agree(result, headers)
        case .confirming: return try confirm(status)
        case .listingTools, .listingResources, .readingDescription:
            // What is left once the tools are known is not worth another handshake.
            if step == .listingTools, status == 404, sessionID != nil, !hasInitializedAgain { return startOver() }
            return try take(try result(answer, status))
        case .over: throw .notMCP
        }
    }

    /// The result in an answer to anything but the probe.
    private func result(_ answer: Answer, _ status: Int) throws(DiscoveryFailure) -> JSONObject {
        switch answer {
        case .error(let code, _):
            throw DiscoveryFailure(.unusable, "the service refused \(lastCall.method) with error \(code)")
        case .none where !(200..<300).contains(status), .result where !(200..<300).contains(status):
            throw .status(status)
        case .none:
            throw .notMCP
        case .result(let result):
            if version?.isModern == true { try checkCompleteness(of: result) }
            return result
        }
    }

    /// A result that wants something of us first can't be used: we declare no capability (2026-07-28, basic, "Results").
    private func checkCompleteness(of result: JSONObject) throws(DiscoveryFailure) {
        guard let type = result["resultType"], type.string != "complete" else { return }
        throw DiscoveryFailure(.unusable, "the service did not complete its answer to \(lastCall.method)")
    }
}

// MARK: - Agreeing on a revision

extension DiscoverySession {
    mutating func probe() -> DiscoveryAction {
        step = .probing
        return send(JSONRPCCall(method: "server/discover"))
    }

    private mutating func judgeProbe(_ answer: Answer, _ status: Int) throws(DiscoveryFailure) -> DiscoveryAction {
        if case .error(let code, let data) = answer {
            switch code {
            case JSONRPCError.unsupportedProtocolVersionCode:
                return try settle(for: data?["supported"])
            case JSONRPCError.headerMismatchCode, JSONRPCError.missingClientCapabilityCode:
                throw DiscoveryFailure(.unusable, "the service refused server/discover with error \(code)")
            default: break
            }
        }
        if status == 429 || status >= 500 { throw .status(status) }
        guard case .result(let result) = answer, (200..<300).contains(status),
            let versions = result["supportedVersions"]?.array, let capabilities = result["capabilities"]?.object
        else { return initialize() }
        try checkCompleteness(of: result)
        guard versions.contains(.string(ProtocolVersion.newestModern.rawValue)) else { return initialize() }
        version = .newestModern
        self.capabilities = capabilities
        return listTools()
    }

    /// Chooses among the versions that the service named when it refused ours.
    private mutating func settle(for supported: JSONValue?) throws(DiscoveryFailure) -> DiscoveryAction {
        let versions = (supported?.array ?? []).compactMap { $0.string.flatMap(ProtocolVersion.init(rawValue:)) }
        if versions.contains(.newestModern), !hasProbedAgain {
            hasProbedAgain = true
            return probe()
        }
        guard versions.contains(where: { !$0.isModern }) else {
            throw DiscoveryFailure(.unusable, "the service speaks no version of MCP that is known here")
        }
        return initialize()
    }

    mutating func initialize() -> DiscoveryAction {
        step = .initializing
        let params: JSONObject = [
            "protocolVersion": .string(ProtocolVersion.newestLegacy.rawValue), "capabilities": [:],
            "clientInfo": .object(client),
        ]
        return send(JSONRPCCall(method: "initialize", params: params))
    }

    /// Takes the result of `initialize`. Only this answer may assign a session id (2025-11-25, "Session Management").
    private mutating func agree(
        _ result: JSONObject,
        _ headers: HeaderFields
    ) throws(DiscoveryFailure) -> DiscoveryAction {
        // With HTTP+SSE these are headers of the GET, and the endpoint that the stream has named is the session.
        if messageStream != .entered, let id = headers[MCPHeader.sessionID] {
            guard id.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !id.isEmpty,
                id.utf8.count <= DiscoveryLimits.echoedBytes
            else { throw DiscoveryFailure(.unusable, "the service sent a session id that is unusable") }
            sessionID = id
        }
        guard let text = result["protocolVersion"]?.string else { throw .notMCP }
        guard let version = ProtocolVersion(rawValue: text), !version.isModern else {
            throw DiscoveryFailure(.unusable, "the service speaks no version of MCP that is known here")
        }
        self.version = version
        capabilities = result["capabilities"]?.object ?? [:]
        step = .confirming
        return post(.notification(JSONRPCCall(method: "notifications/initialized")))
    }

    mutating func confirm(_ status: Int) throws(DiscoveryFailure) -> DiscoveryAction {
        guard (200..<300).contains(status) else { throw .status(status) }
        return listTools()
    }

    /// The session is gone (404): one more handshake, and the list of tools from its beginning.
    private mutating func startOver() -> DiscoveryAction {
        hasInitializedAgain = true
        (version, sessionID) = (nil, nil)
        intake = ToolIntake()
        return initialize()
    }
}

// MARK: - Fetching

extension DiscoverySession {
    private mutating func listTools() -> DiscoveryAction {
        guard capabilities["tools"] != nil else {
            intake.warn("the service declares no tools")
            return listResources()
        }
        step = .listingTools
        walk = PageWalk()
        return send(JSONRPCCall(method: "tools/list"))
    }

    private mutating func listResources() -> DiscoveryAction {
        guard wantsDescription, capabilities["resources"] != nil else { return finish() }
        step = .listingResources
        walk = PageWalk()
        return send(JSONRPCCall(method: "resources/list"))
    }

    private mutating func take(_ result: JSONObject) throws(DiscoveryFailure) -> DiscoveryAction {
        switch step {
        case .listingTools:
            guard let page = result["tools"]?.array else { throw .notMCP }
            let isModern = version?.isModern == true
            try intake.add(page, isModern: isModern)
            if isModern { intake.note(timeToLive: result["ttlMs"]) }
            guard let cursor = try walk.next(after: result) else { return listResources() }
            return send(JSONRPCCall(method: "tools/list", params: ["cursor": .string(cursor)]))
        case .listingResources:
            search.add(result["resources"]?.array ?? [])
            if !search.isOver, let cursor = try walk.next(after: result) {
                return send(JSONRPCCall(method: "resources/list", params: ["cursor": .string(cursor)]))
            }
            guard let uri = search.uri else { return finish() }
            step = .readingDescription
            return send(JSONRPCCall(method: "resources/read", params: ["uri": .string(uri)]))
        default:
            serviceDescription = DescriptionSearch.text(in: result["contents"])
            return finish()
        }
    }

    private mutating func finish() -> DiscoveryAction {
        step = .over
        let service = DiscoveredService(
            tools: intake.tools,
            serviceDescription: serviceDescription,
            usesMessageStream: messageStream == .entered,
            protocolVersion: version ?? .newestLegacy,
            timeToLive: intake.timeToLive,
            warnings: intake.warnings
        )
        return .finished(service, goodbye: goodbye())
    }

    /// A fault after the tools are known leaves the tools. Whoever is out of reach or silent gets no goodbye.
    private mutating func giveUp(_ failure: DiscoveryFailure, after event: DiscoveryEvent) -> DiscoveryAction {
        if step == .listingResources || step == .readingDescription {
            intake.warn("the service's description could not be read: \(failure.reason)")
            return finish()
        }
        step = .over
        if case .failed = event, failure.kind == .unavailable { return .failed(failure, goodbye: nil) }
        return .failed(failure, goodbye: goodbye())
    }

    mutating func send(_ call: JSONRPCCall) -> DiscoveryAction {
        lastID += 1
        lastCall = call
        return post(.request(id: .integer(lastID), call))
    }

    /// Where a message goes: beside the stream of HTTP+SSE, else into an exchange of its own.
    private mutating func post(_ message: JSONRPCMessage) -> DiscoveryAction {
        guard messageStream != .entered else { return .sendBeside(exchange(message)) }
        openStream = nil
        return .send(exchange(message))
    }
}
