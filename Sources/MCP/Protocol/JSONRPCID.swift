/// The id of a JSON-RPC request: text or a whole number, echoed with the same JSON type.
///
/// MCP narrows JSON-RPC here: `null`, fractions and other kinds are no ids; `0` and `""` are (MCP 2026-07-28, basic).
public enum JSONRPCID: Sendable, Hashable {
    /// A text, possibly empty.
    case string(String)
    /// A number of 64 bits, possibly zero or negative.
    case integer(Int64)

    /// The id written as `value`, or `nil` when that is no valid id (`1.0` is not).
    public init?(_ value: JSONValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .integer(let number): self = .integer(number)
        default: return nil
        }
    }

    /// The id as JSON.
    public var json: JSONValue {
        switch self {
        case .string(let text): .string(text)
        case .integer(let number): .integer(number)
        }
    }
}
