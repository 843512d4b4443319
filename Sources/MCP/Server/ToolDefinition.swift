/// A tool as `tools/list` shows it.
public struct ToolDefinition: Sendable, Equatable {
    /// 1 to 64 of `[A-Za-z0-9_.-]`, unique among the server's tools.
    public var name: String
    /// The name for people.
    public var title: String
    /// What the tool does, for the model; not empty.
    public var description: String
    /// JSON Schema (2020-12) of the arguments; `type` is `object`.
    public var inputSchema: JSONValue
    /// JSON Schema of the structured result, an object schema; `nil` when none is promised.
    public var outputSchema: JSONValue?
    /// Hints about the tool's behaviour.
    public var annotations: ToolAnnotations

    /// A definition from its parts.
    public init(
        name: String,
        title: String,
        description: String,
        inputSchema: JSONValue,
        outputSchema: JSONValue? = nil,
        annotations: ToolAnnotations = ToolAnnotations()
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.inputSchema = inputSchema
        self.outputSchema = outputSchema
        self.annotations = annotations
    }

    /// The definition as JSON.
    public var json: JSONValue {
        var object: JSONObject = [
            "name": .string(name), "title": .string(title), "description": .string(description),
            "inputSchema": inputSchema,
        ]
        object["outputSchema"] = outputSchema
        object["annotations"] = annotations.json
        return .object(object)
    }
}

/// Hints about a tool's behaviour (2026-07-28, tools, "ToolAnnotations"); the defaults are those of the specification.
public struct ToolAnnotations: Sendable, Equatable {
    /// A title for people, where ``ToolDefinition/title`` is not understood (before 2025-06-18).
    public var title: String?
    /// The tool changes nothing.
    public var readOnlyHint: Bool
    /// A change may destroy something; meaningless for a read-only tool.
    public var destructiveHint: Bool
    /// Calling again with the same arguments changes nothing more.
    public var idempotentHint: Bool
    /// The tool reaches out to systems beyond the server's own.
    public var openWorldHint: Bool

    /// Hints from their parts.
    public init(
        title: String? = nil,
        readOnlyHint: Bool = false,
        destructiveHint: Bool = true,
        idempotentHint: Bool = false,
        openWorldHint: Bool = true
    ) {
        self.title = title
        self.readOnlyHint = readOnlyHint
        self.destructiveHint = destructiveHint
        self.idempotentHint = idempotentHint
        self.openWorldHint = openWorldHint
    }

    var json: JSONValue {
        var object: JSONObject = [:]
        object["title"] = title.map(JSONValue.string)
        object["readOnlyHint"] = .bool(readOnlyHint)
        object["destructiveHint"] = .bool(destructiveHint)
        object["idempotentHint"] = .bool(idempotentHint)
        object["openWorldHint"] = .bool(openWorldHint)
        return .object(object)
    }
}
