/// What a tool answers. Failures that the model can mend are results too; only a fault of the server is thrown.
public struct ToolResult: Sendable, Equatable {
    /// The blocks of `content`, all of them text.
    public private(set) var content: JSONValue
    /// The structured answer, an object; `nil` in a failure.
    public private(set) var structured: JSONValue?
    /// Whether the call failed.
    public let isError: Bool

    private init(texts: [String], structured: JSONValue?, isError: Bool) {
        content = .array(texts.map { ["type": "text", "text": .string($0)] })
        self.structured = structured
        self.isError = isError
    }

    /// A success with one text block: `text`, or the compact JSON of `structured` when that is `nil`.
    public static func success(structured: JSONValue, text: String? = nil) -> ToolResult {
        ToolResult(texts: [text ?? structured.text], structured: structured, isError: false)
    }

    /// A success whose structured answer is `{"result": value}`.
    ///
    /// The text block is the text itself, or the compact JSON of any other value; an empty list has no block at all.
    public static func wrapping(_ value: JSONValue) -> ToolResult {
        let texts = value == [] ? [] : [value.string ?? value.text]
        return ToolResult(texts: texts, structured: ["result": value], isError: false)
    }

    /// A failure that tells the model, in one text block, what to change.
    public static func failure(_ message: String) -> ToolResult {
        ToolResult(texts: [message], structured: nil, isError: true)
    }

    /// The same result, written already: to be answered many times.
    public func encoded() -> ToolResult {
        var result = self
        result.content = .encoded(EncodedJSON(content))
        result.structured = structured.map { .encoded(EncodedJSON($0)) }
        return result
    }

    /// How many bytes of an ``encoded()`` result are written already.
    public var encodedByteCount: Int {
        [content, structured].reduce(0) { sum, part in
            if case .encoded(let value)? = part { sum + value.bytes.count } else { sum }
        }
    }

    /// The result of `tools/call`.
    var json: JSONObject {
        var object: JSONObject = ["content": content]
        object["structuredContent"] = structured
        object["isError"] = .bool(isError)
        return object
    }
}
