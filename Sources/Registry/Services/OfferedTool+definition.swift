internal import Crypto
internal import DBDriver

extension OfferedTool {
    /// The definition as canonical JSON (RFC 8785): the same text exactly as long as nothing about the tool has changed.
    public var canonicalJSON: String {
        let members = [
            annotations.map { #""annotations":"# + $0 },
            #""description":"# + Self.quoted(description),
            icons.map { #""icons":"# + $0 },
            #""inputSchema":"# + inputSchema,
            #""name":"# + Self.quoted(name),
            outputSchema.map { #""outputSchema":"# + $0 },
            title.map { #""title":"# + Self.quoted($0) },
        ]
        return "{" + members.compactMap { $0 }.joined(separator: ",") + "}"
    }

    /// The SHA-256 of ``canonicalJSON``, by which definitions are told apart.
    public var sha256: [UInt8] { Self.sha256(of: canonicalJSON) }

    /// ``sha256`` of a definition whose ``canonicalJSON`` is at hand.
    public static func sha256(of canonicalJSON: String) -> [UInt8] {
        Array(SHA256.hash(data: Array(canonicalJSON.utf8)))
    }

    /// What ``MCPRegistry/findTools(_:usableBy:)`` looks through: name, title and description, each with its end marked so
    /// that a search knows in which of them it has found something.
    var searchText: String {
        let title = (title ?? "").filter { $0 != Self.nameEnd && $0 != Self.titleEnd }
        return "\(name)\(Self.nameEnd)\(title)\(Self.titleEnd)\(description)".lowercased()
    }

    static let nameEnd: Character = "\u{1}"
    static let titleEnd: Character = "\u{2}"

    /// The parts of a definition that differ from another's, by their names in MCP.
    public func differences(from other: OfferedTool) -> [String] {
        let parts: [(String, String?, String?)] = [
            ("title", title, other.title),
            ("description", description, other.description),
            ("inputSchema", inputSchema, other.inputSchema),
            ("outputSchema", outputSchema, other.outputSchema),
            ("annotations", annotations, other.annotations),
            ("icons", icons, other.icons),
        ]
        // By their bytes: for `String`, texts in different Unicode forms would be equal.
        return parts.filter { $0.1.map { Array($0.utf8) } != $0.2.map { Array($0.utf8) } }.map(\.0)
    }

    /// What is told of a tool that was never approved: nothing but its name.
    static func silent(named name: String) -> OfferedTool {
        unread(named: name, "")
    }

    /// A tool of which only name and description are known.
    static func unread(named name: String, _ description: String) -> OfferedTool {
        OfferedTool(name: name, description: description, inputSchema: #"{"type":"object"}"#)
    }

    init(row: Row) throws(DatabaseError) {
        self.init(
            name: try row.get("name"),
            title: try row.get("title"),
            description: try row.get("description"),
            inputSchema: try row.get("input_schema"),
            outputSchema: try row.get("output_schema"),
            annotations: try row.get("annotations"),
            icons: try row.get("icons")
        )
    }

    /// A JSON string with the escapes of RFC 8785 section 3.2.2.2.
    private static func quoted(_ text: String) -> String {
        // Hardly any text needs an escape, and copying it whole is fast.
        let isPlain = !text.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
        if isPlain { return "\"" + text + "\"" }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{8}": quoted += "\\b"
            case "\t": quoted += "\\t"
            case "\n": quoted += "\\n"
            case "\u{C}": quoted += "\\f"
            case "\r": quoted += "\\r"
            case "\0"..."\u{1F}": quoted += (scalar.value < 16 ? "\\u000" : "\\u00") + String(scalar.value, radix: 16)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
