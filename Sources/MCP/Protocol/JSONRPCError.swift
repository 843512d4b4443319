/// The error of a JSON-RPC answer.
public struct JSONRPCError: Error, Sendable, Equatable {
    /// What went wrong, as a number with a fixed meaning.
    public var code: Int
    /// What went wrong, in words for people.
    public var message: String
    /// Details for programs.
    public var data: JSONValue?

    /// An error from its parts.
    public init(code: Int, message: String, data: JSONValue? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    /// The error as a member of an answer.
    public var json: JSONValue {
        var object: JSONObject = ["code": .integer(Int64(code)), "message": .string(message)]
        object["data"] = data
        return .object(object)
    }
}

/// The codes in use: JSON-RPC 2.0 section 5.1, and MCP 2026-07-28 "Error codes" for those below -32000.
extension JSONRPCError {
    static let parseErrorCode = -32700
    static let invalidRequestCode = -32600
    static let methodNotFoundCode = -32601
    static let invalidParamsCode = -32602
    static let internalErrorCode = -32603
    /// Used up to 2025-11-25; since 2026-07-28 an unknown resource is ``invalidParamsCode``.
    static let resourceNotFoundCode = -32002
    static let headerMismatchCode = -32020
    static let missingClientCapabilityCode = -32021
    static let unsupportedProtocolVersionCode = -32022

    static func parseError(_ cause: JSONError) -> JSONRPCError {
        JSONRPCError(code: parseErrorCode, message: "Parse error: \(cause)")
    }

    static func invalidRequest(_ message: String) -> JSONRPCError {
        JSONRPCError(code: invalidRequestCode, message: "Invalid request: \(message)")
    }

    static func methodNotFound(_ method: String) -> JSONRPCError {
        JSONRPCError(code: methodNotFoundCode, message: "Method not found: \(method.clipped)")
    }

    static func invalidParams(_ message: String) -> JSONRPCError {
        JSONRPCError(code: invalidParamsCode, message: message)
    }

    static let internalError = JSONRPCError(code: internalErrorCode, message: "Internal error")

    static func headerMismatch(_ message: String) -> JSONRPCError {
        JSONRPCError(code: headerMismatchCode, message: "Header mismatch: \(message)")
    }

    static func unsupportedProtocolVersion(_ requested: String) -> JSONRPCError {
        JSONRPCError(
            code: unsupportedProtocolVersionCode,
            message: "Unsupported protocol version",
            data: [
                "supported": .array(ProtocolVersion.advertised.map { .string($0.rawValue) }),
                "requested": .string(requested),
            ]
        )
    }
}
