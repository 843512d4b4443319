import Testing

@testable import MCP

@Suite("Tools and results")
struct ToolTests {
    @Test("a definition lists its members, hints included")
    func definition() {
        let tool = ToolDefinition(
            name: "n",
            title: "t",
            description: "d",
            inputSchema: ["type": "object"],
            annotations: ToolAnnotations(title: "t", destructiveHint: false, openWorldHint: false)
        )
        #expect(
            tool.json == [
                "name": "n", "title": "t", "description": "d", "inputSchema": ["type": "object"],
                "annotations": [
                    "title": "t", "readOnlyHint": false, "destructiveHint": false, "idempotentHint": false,
                    "openWorldHint": false,
                ],
            ]
        )
    }

    @Test("a wrapped text is repeated as it is, a list as JSON, an empty list not at all")
    func wrapping() {
        #expect(ToolResult.wrapping("é \"x\"").texts == ["é \"x\""])
        #expect(ToolResult.wrapping([["é", "(no role)"]]).texts == [#"[["é","(no role)"]]"#])
        #expect(ToolResult.wrapping([]).texts == [])
        #expect(ToolResult.wrapping([]).json == ["content": [], "structuredContent": ["result": []], "isError": false])
    }

    @Test("a success repeats its structure as text unless another is given")
    func success() {
        #expect(ToolResult.success(structured: ["a": 1]).texts == [#"{"a":1}"#])
        #expect(ToolResult.success(structured: ["a": 1], text: "one").texts == ["one"])
    }

    @Test("a result that is written once reads the same each time")
    func encoded() {
        let result = ToolResult.wrapping([["é", "a \"quoted\" text"]])
        #expect(JSONValue.object(result.encoded().json).text == JSONValue.object(result.json).text)
        #expect(result.encodedByteCount == 0)
        #expect(result.encoded().encodedByteCount > 0)
    }

    @Test("a failure has no structure")
    func failure() {
        #expect(
            ToolResult.failure("why").json == ["content": [["type": "text", "text": "why"]], "isError": true]
        )
    }
}

extension ToolResult {
    fileprivate var texts: [String?]? { content.array?.map { $0["text"]?.string } }
}
