/// What a modern request must satisfy before its method is looked at (2026-07-28: basic "Metadata", Streamable HTTP
/// "Server Validation", versioning). The order of the checks decides which error is reported.
enum ModernRules {
    /// Methods whose `Mcp-Name` header mirrors a parameter, and which.
    private static let mirroredParameters = [
        "tools/call": "name", "prompts/get": "name", "resources/read": "uri",
    ]

    /// - Throws: -32602 when `_meta` lacks what it needs, -32020 when a header is missing, repeated or differs from the
    ///   body, -32022 when the version is not spoken here.
    static func check(_ call: JSONRPCCall, _ headers: HeaderFields) throws(JSONRPCError) {
        guard let meta = call.params?["_meta"]?.object else {
            throw .invalidParams("params._meta must be an object")
        }
        guard let version = meta[MetaKey.protocolVersion]?.string else {
            throw .invalidParams("_meta must have a string \"\(MetaKey.protocolVersion)\"")
        }
        guard meta[MetaKey.clientCapabilities]?.object != nil else {
            throw .invalidParams("_meta must have an object \"\(MetaKey.clientCapabilities)\"")
        }
        try match(MCPHeader.protocolVersion, version, headers)
        try match(MCPHeader.method, call.method, headers)
        if let parameter = mirroredParameters[call.method], let name = call.params?[parameter]?.string {
            try matchName(name, headers)
        }
        guard ProtocolVersion(rawValue: version)?.isModern == true else {
            throw .unsupportedProtocolVersion(version)
        }
    }

    private static func match(
        _ name: String,
        _ expected: String,
        _ headers: HeaderFields
    ) throws(JSONRPCError) {
        guard try single(name, headers).hasSameBytes(as: expected) else {
            throw .headerMismatch("\(name) differs from the body")
        }
    }

    /// A body without the mirrored parameter does not come here: it is malformed in itself, as its method will report.
    private static func matchName(_ expected: String, _ headers: HeaderFields) throws(JSONRPCError) {
        let value = try single(MCPHeader.name, headers)
        guard let name = HeaderText.decode(value) else {
            throw .headerMismatch("\(MCPHeader.name) is not valid base64 of UTF-8")
        }
        guard name.hasSameBytes(as: expected) else {
            throw .headerMismatch("\(MCPHeader.name) differs from the body")
        }
    }

    private static func single(_ name: String, _ headers: HeaderFields) throws(JSONRPCError) -> String {
        let values = headers.values(of: name)
        guard let value = values.first else { throw .headerMismatch("\(name) is missing") }
        guard values.count == 1 else { throw .headerMismatch("\(name) is repeated") }
        return value
    }
}
