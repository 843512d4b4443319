/// What a tool answers. Failures that the model can mend are results too; only a fault of the server is thrown.
public struct ToolResult: Sendable, Equatable {
    /// The text blocks of `content`.
    public let texts: [String]
    /// The structured answer, an object; `nil` in a failure.
    public let structured: JSONValue?
    /// Whether the call failed.
    public let isError: Bool

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

    /// The result of `tools/call`.
    var json: JSONObject {
        var object: JSONObject = [
            "content": .array(texts.map { ["type": "text", "text": .string($0)] })
        ]
        object["structuredContent"] = structured
        object["isError"] = .bool(isError)
        return object
    }
}
