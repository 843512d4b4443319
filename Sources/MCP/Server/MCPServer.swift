/// A stateless MCP server of every revision on one endpoint: HTTP request in, HTTP response out, no input or output of
/// its own. Any instance can serve any request; no session id is ever issued. `Caller` is whoever asks, handed on to what
/// answers.
public struct MCPServer<Caller: Sendable>: Sendable {
    /// Runs a tool. What it throws is reported as an internal error without details: a failure that the caller may know
    /// of is a ``ToolResult/failure(_:)``.
    public typealias CallTool = @Sendable (ToolCall, Caller) async throws -> ToolResult
    /// Reads the resource with a URI; nil when there is none. What it throws is reported as above.
    public typealias ReadResource = @Sendable (String, Caller) async throws -> ResourceText?
    /// Does work of which only a client that waits for it has any use, and cancels it when the client hangs up; nothing is
    /// sent then.
    public typealias WhileConnected =
        @Sendable (_ work: @escaping @Sendable () async -> MCPHTTPResponse) async -> MCPHTTPResponse

    /// Name, title and version.
    let serverInfo: JSONValue
    /// The same as the `_meta` of a modern result.
    let serverMeta: JSONValue
    let instructions: String
    let toolNames: Set<String>
    private let toolList: [(name: String, json: JSONValue)]
    private let isShown: @Sendable (String, Caller) -> Bool
    let callTool: CallTool
    let resourceList: JSONValue
    let templateList: JSONValue
    let readResource: ReadResource

    /// The time; tests have their own.
    var now: @Sendable () -> ContinuousClock.Instant = { .now }

    /// The most messages in one batch (revision 2025-03-26 only).
    static var batchLimit: Int { 20 }
    /// How long a batch may take before its further requests are refused: as long as one discovery.
    static var batchDurationMax: Duration { .seconds(60) }
    /// How many bytes of answers a batch may have before its further requests are refused.
    static var batchAnswerBytesMax: Int { 4 * 1024 * 1024 }
    private static var repeatedVersion: String { "\(MCPHeader.protocolVersion) is repeated" }

    /// A server.
    ///
    /// - Parameters:
    ///   - name: The server's name for programs.
    ///   - version: The server's own version.
    ///   - title: The server's name for people.
    ///   - instructions: What the model should know about the server as a whole.
    ///   - tools: The tools in the order in which they are listed, on one page.
    ///   - isShown: Whether a caller is told of one of `tools`; to refuse the calls of others is left to `callTool`.
    ///   - callTool: Runs one of `tools`.
    ///   - resources: The resources in the order in which they are listed, on one page.
    ///   - resourceTemplates: The forms of further URIs that can be read.
    ///   - readResource: Reads any of them.
    public init(
        name: String,
        version: String,
        title: String,
        instructions: String,
        tools: [ToolDefinition],
        isShown: @escaping @Sendable (_ tool: String, Caller) -> Bool = { _, _ in true },
        callTool: @escaping CallTool,
        resources: [ResourceDefinition] = [],
        resourceTemplates: [ResourceTemplate] = [],
        readResource: @escaping ReadResource = { _, _ in nil }
    ) {
        let serverInfo: JSONValue = ["name": .string(name), "title": .string(title), "version": .string(version)]
        self.serverInfo = .encoded(EncodedJSON(serverInfo))
        self.serverMeta = .encoded(EncodedJSON([MetaKey.serverInfo: serverInfo]))
        self.instructions = instructions
        self.toolNames = Set(tools.map(\.name))
        self.toolList = tools.map { ($0.name, .encoded(EncodedJSON($0.json))) }
        self.isShown = isShown
        self.callTool = callTool
        self.resourceList = .encoded(EncodedJSON(.array(resources.map(\.json))))
        self.templateList = .encoded(EncodedJSON(.array(resourceTemplates.map(\.json))))
        self.readResource = readResource
    }

    /// The tools that a caller is told of.
    func toolList(for caller: Caller) -> JSONValue {
        .array(toolList.filter { isShown($0.name, caller) }.map(\.json))
    }

    /// Answers a request, whose path, `Host`, `Origin`, size and credentials have been checked.
    ///
    /// A legacy request that is understood is always answered with status 200, errors included: legacy clients take any
    /// other status for the end of the connection. Modern errors carry the status of 2026-07-28, Streamable HTTP.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - caller: Who asks.
    ///   - whileConnected: How modern requests are answered: for them a disconnect is a cancellation (2026-07-28,
    ///     Streamable HTTP, "Cancellation"), for legacy ones it is not (2025-11-25, transports, "Sending Messages").
    /// - Returns: The answer.
    public func respond(
        to request: MCPHTTPRequest,
        from caller: Caller,
        whileConnected: WhileConnected = { work in await work() }
    ) async -> MCPHTTPResponse {
        let headers = HeaderFields(fields: request.headers)
        guard request.method == "POST" else {
            return .refusal(405, .invalidRequest("only POST is served"), headers: [("Allow", "POST")])
        }
        guard MediaType.matches(headers["Content-Type"], MediaType.json) else {
            return .refusal(415, .invalidRequest("Content-Type must be application/json"))
        }
        guard let form = AnswerForm(accept: headers["Accept"]) else {
            return .refusal(406, .invalidRequest("Accept must allow application/json or text/event-stream"))
        }
        let body: JSONValue
        do {
            body = try JSONValue.parse(request.body)
        } catch {
            return .refusal(400, .parseError(error))
        }
        if let elements = body.array { return await respond(toBatch: elements, headers, form, caller) }
        return await respond(toSingle: body, headers, form, caller, whileConnected)
    }

    private func respond(
        toSingle body: JSONValue,
        _ headers: HeaderFields,
        _ form: AnswerForm,
        _ caller: Caller,
        _ whileConnected: WhileConnected
    ) async -> MCPHTTPResponse {
        do {
            switch try JSONRPCMessage(body) {
            case .notification:
                return .accepted
            case .response:
                return respond(toStrayResponse: headers)
            case .request(let id, let call):
                let work = { @Sendable () async -> MCPHTTPResponse in
                    let (outcome, status) = await answer(call, headers, caller)
                    return .answer(JSONRPCMessage.response(id: id, outcome).json, status: status, form: form)
                }
                let era = Era(header: headers[MCPHeader.protocolVersion], params: call.params)
                return era == .modern ? await whileConnected(work) : await work()
            }
        } catch {
            if error.isResponse { return respond(toStrayResponse: headers) }
            return .answer(JSONRPCMessage.response(id: error.id, .failure(error.error)).json, status: 400)
        }
    }

    /// Nothing was asked, so whatever is answered is dropped; since 2026-07-28 clients must not even send it.
    private func respond(toStrayResponse headers: HeaderFields) -> MCPHTTPResponse {
        guard case .legacy = Era(header: headers[MCPHeader.protocolVersion], params: nil) else {
            return .refusal(400, .invalidRequest("a client must not send responses"))
        }
        return .accepted
    }

    private func respond(
        toBatch elements: [JSONValue],
        _ headers: HeaderFields,
        _ form: AnswerForm,
        _ caller: Caller
    ) async -> MCPHTTPResponse {
        if let reason = refusalOfBatch(elements, headers) { return .refusal(400, .invalidRequest(reason)) }
        let end = now() + Self.batchDurationMax
        // The array of answers, without its last bracket.
        var body: [UInt8] = []
        for element in elements {
            let isSpent = body.count >= Self.batchAnswerBytesMax || now() >= end
            guard let answer = await answer(toElement: element, isSpent: isSpent, headers, caller) else { continue }
            body.append(UInt8(ascii: body.isEmpty ? "[" : ","))
            body += answer.json.serialized()
        }
        return body.isEmpty ? .accepted : .answer(body + [UInt8(ascii: "]")], form: form)
    }

    /// The answer to one message of a batch; nil when it gets none.
    private func answer(
        toElement element: JSONValue,
        isSpent: Bool,
        _ headers: HeaderFields,
        _ caller: Caller
    ) async -> JSONRPCMessage? {
        do {
            guard case .request(let id, let call) = try JSONRPCMessage(element) else { return nil }
            guard !isSpent else {
                let reason = "the requests before it took all the time or room that a batch has: send it alone"
                return .response(id: id, .failure(.invalidRequest(reason)))
            }
            return .response(id: id, await answer(call, headers, caller).outcome)
        } catch {
            return error.isResponse ? nil : .response(id: error.id, .failure(error.error))
        }
    }

    /// Only 2025-03-26 knows batches, and there `initialize` must not be part of one (lifecycle, "Initialization").
    private func refusalOfBatch(_ elements: [JSONValue], _ headers: HeaderFields) -> String? {
        if elements.isEmpty { return "an empty batch" }
        if elements.count > Self.batchLimit { return "more than \(Self.batchLimit) messages in a batch" }
        let header = headers[MCPHeader.protocolVersion]
        if headers.values(of: MCPHeader.protocolVersion).count > 1 { return Self.repeatedVersion }
        for element in elements {
            let era = Era(header: header, params: element["params"]?.object)
            guard case .legacy(let version) = era, header == nil || version == .v20250326 else {
                return "batches exist in protocol version 2025-03-26 only"
            }
            if element["method"]?.string == "initialize" { return "initialize must not be part of a batch" }
        }
        return nil
    }

    private func answer(
        _ call: JSONRPCCall,
        _ headers: HeaderFields,
        _ caller: Caller
    ) async -> (outcome: Result<JSONValue, JSONRPCError>, status: Int) {
        guard headers.values(of: MCPHeader.protocolVersion).count <= 1 else {
            return (.failure(.headerMismatch(Self.repeatedVersion)), 400)
        }
        switch Era(header: headers[MCPHeader.protocolVersion], params: call.params) {
        case .legacy:
            do {
                return (.success(.object(try await legacyResult(of: call, caller))), 200)
            } catch {
                return (.failure(error), 200)
            }
        case .modern:
            do {
                try ModernRules.check(call, headers)
                return (.success(.object(try await modernResult(of: call, caller))), 200)
            } catch {
                return (.failure(error), modernStatus(of: error))
            }
        case .contradictory:
            let error = JSONRPCError.headerMismatch("\(MCPHeader.protocolVersion) differs from the body")
            return (.failure(error), modernStatus(of: error))
        }
    }

    private func modernStatus(of error: JSONRPCError) -> Int {
        switch error.code {
        case JSONRPCError.methodNotFoundCode: 404
        case JSONRPCError.internalErrorCode: 200
        default: 400
        }
    }
}
