/// The rules for `x-mcp-header`, by which a tool asks that an argument also travels in a header field (2026-07-28,
/// Streamable HTTP, "Custom Headers from Tool Parameters"). A client must not use a tool that breaks them.
struct MirroredParameters {
    private static let keyword = "x-mcp-header"
    /// Their values are data, not schemas.
    private static let dataKeywords: Set<String> = [keyword, "const", "default", "enum", "examples"]
    /// Their values map names to schemas.
    private static let mapKeywords: Set<String> = [
        "properties", "patternProperties", "dependentSchemas", "$defs", "definitions",
    ]

    private var names: Set<String> = []
    private var fault: String?

    /// The first broken rule of a tool's input schema, or `nil`.
    static func fault(in schema: JSONValue) -> String? {
        var parameters = MirroredParameters()
        parameters.visit(schema, isReachable: true)
        return parameters.fault
    }

    /// `isReachable` says whether only `properties` keywords lead here from the root.
    private mutating func visit(_ schema: JSONValue, isReachable: Bool) {
        if let elements = schema.array {
            for element in elements { visit(element, isReachable: false) }
        }
        guard let object = schema.object else { return }
        if let name = object[Self.keyword] { check(name, type: object["type"], isReachable: isReachable) }
        for member in object.members where !Self.dataKeywords.contains(member.key) {
            if Self.mapKeywords.contains(member.key), let schemas = member.value.object {
                let isReachable = isReachable && member.key == "properties"
                for schema in schemas.members { visit(schema.value, isReachable: isReachable) }
            } else {
                visit(member.value, isReachable: false)
            }
        }
    }

    private mutating func check(_ name: JSONValue, type: JSONValue?, isReachable: Bool) {
        guard let name = name.string, !name.isEmpty, name.utf8.allSatisfy(\.isTokenByte) else {
            fault = fault ?? "an \(Self.keyword) is not a header name"
            return
        }
        if !isReachable { fault = fault ?? "an \(Self.keyword) stands where no parameter can be found" }
        if !["string", "integer", "boolean"].contains(type?.string) {
            fault = fault ?? "an \(Self.keyword) is on a parameter that is no string, integer or boolean"
        }
        if !names.insert(name.lowercased()).inserted { fault = fault ?? "an \(Self.keyword) is used twice" }
    }
}

extension UInt8 {
    /// Whether this is a `tchar` (RFC 9110 section 5.6.2).
    var isTokenByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }
}
