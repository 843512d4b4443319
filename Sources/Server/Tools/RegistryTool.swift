internal import MCP
internal import Registry

/// A tool of the registry's own MCP endpoint: what clients are told about it, and what it does.
struct RegistryTool: Sendable {
    let definition: MCP.ToolDefinition
    let parameters: [ToolParameter]
    /// What a caller must be allowed to do; nil when any caller may use it.
    let scope: Scope?
    /// Whether it has a service read.
    let discovers: Bool
    /// What a model should do about an error of a kind; added to the error's own words.
    let advice: [RegistryError.Code: String]
    private let answer: @Sendable (ToolArguments, Principal) async throws -> ToolResult

    /// - Parameters:
    ///   - name: the name; unique, at most 64 characters.
    ///   - title: a title for people.
    ///   - description: tells a model when to use it.
    ///   - parameters: its arguments.
    ///   - result: the JSON schema of what it returns.
    ///   - scope: what a caller must be allowed to do; nil when any caller may use it.
    ///   - hints: what a client may expect of a call.
    ///   - advice: what to do about errors that do not say so themselves.
    ///   - run: what it does. Its value is returned as `{"result": …}`.
    init(
        _ name: String,
        _ title: String,
        _ description: String,
        _ parameters: [ToolParameter] = [],
        result: JSONValue = ["title": "Result", "type": "string"],
        scope: Scope?,
        hints: Hints,
        advice: [RegistryError.Code: String] = [:],
        run: @escaping @Sendable (ToolArguments, Principal) async throws -> JSONValue
    ) {
        self.init(name, title, description, parameters, result: result, scope: scope, hints: hints, advice: advice) {
            ToolResult.wrapping(try await run($0, $1))
        }
    }

    /// The same for a tool that makes its whole result.
    init(
        _ name: String,
        _ title: String,
        _ description: String,
        _ parameters: [ToolParameter] = [],
        result: JSONValue,
        scope: Scope?,
        hints: Hints,
        advice: [RegistryError.Code: String] = [:],
        answer: @escaping @Sendable (ToolArguments, Principal) async throws -> ToolResult
    ) {
        self.parameters = parameters
        self.scope = scope
        discovers = hints.isOpenWorld
        self.advice = advice
        self.answer = answer
        let properties = JSONObject(parameters.map { ($0.name, $0.schema) })
        let required = parameters.filter { !$0.isOptional }.map { JSONValue.string($0.name) }
        var input: JSONObject = ["type": "object"]
        if !parameters.isEmpty { input["properties"] = .object(properties) }
        if !required.isEmpty { input["required"] = .array(required) }
        input["additionalProperties"] = false
        definition = MCP.ToolDefinition(
            name: name,
            title: title,
            description: description,
            inputSchema: .object(input),
            // The last member tells fastmcp clients to hand out the value instead of the object around it.
            outputSchema: [
                "type": "object", "properties": ["result": result], "required": ["result"],
                "x-fastmcp-wrap-result": true,
            ],
            annotations: hints.annotations(title)
        )
    }

    /// What a client may expect of a call.
    enum Hints {
        /// It changes nothing.
        case reads
        /// It adds something; the same call again changes nothing more.
        case sets
        /// It replaces something for good; the same call again changes nothing more.
        case overwrites(openWorld: Bool = false)
        /// It adds something; the same call again is an error.
        case creates(openWorld: Bool = false)
        /// It removes something.
        case removes

        /// Whether it reaches beyond the registry.
        var isOpenWorld: Bool {
            switch self {
            case .overwrites(let openWorld), .creates(let openWorld): openWorld
            case .reads, .sets, .removes: false
            }
        }

        func annotations(_ title: String) -> ToolAnnotations {
            let (readOnly, destructive, idempotent) =
                switch self {
                case .reads: (true, false, true)
                case .sets: (false, false, true)
                case .overwrites, .removes: (false, true, true)
                case .creates: (false, false, false)
                }
            return ToolAnnotations(
                title: title,
                readOnlyHint: readOnly,
                destructiveHint: destructive,
                idempotentHint: idempotent,
                openWorldHint: isOpenWorld
            )
        }
    }

    /// Checks the arguments and runs the tool. Arguments that don't fit are a result with `isError`.
    ///
    /// - Throws: ``RegistryError``
    func call(_ arguments: JSONObject, by principal: Principal) async throws -> ToolResult {
        do {
            return try await answer(try ToolArguments(arguments, parameters), principal)
        } catch let refusal as ToolArguments.Refusal {
            return .failure(refusal.message)
        }
    }
}
