/// A call of a tool that exists, its arguments not yet checked against the tool's schema.
public struct ToolCall: Sendable, Equatable {
    /// The name of one of the server's tools.
    public var name: String
    /// The arguments; empty when the caller gave none.
    public var arguments: JSONObject

    /// A call from its parts.
    public init(name: String, arguments: JSONObject) {
        self.name = name
        self.arguments = arguments
    }
}
