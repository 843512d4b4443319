/// One JSON-RPC 2.0 message as MCP uses it.
public enum JSONRPCMessage: Sendable {
    /// Something that wants an answer.
    case request(id: JSONRPCID, JSONRPCCall)
    /// Something that gets no answer.
    case notification(JSONRPCCall)
    /// An answer. Errors that could not be tied to a request come without an id.
    case response(id: JSONRPCID?, Result<JSONValue, JSONRPCError>)
}

/// A method with its named parameters.
public struct JSONRPCCall: Sendable, Equatable {
    /// The method's name; case matters.
    public var method: String
    /// The parameters, or `nil` when the message had no such member.
    public var params: JSONObject?

    /// A call from its parts.
    public init(method: String, params: JSONObject? = nil) {
        self.method = method
        self.params = params
    }
}

/// Why a JSON value is no valid message.
struct InvalidMessage: Error {
    /// The id to echo; nil when it could not be read, or is not the sender's own.
    let id: JSONRPCID?
    let error: JSONRPCError
    /// Whether the value was meant as an answer.
    var isResponse = false
}

extension JSONRPCMessage {
    /// Reads a message.
    ///
    /// - Throws: ``InvalidMessage`` with -32600, or -32602 when only `params` is at fault.
    init(_ value: JSONValue) throws(InvalidMessage) {
        guard let object = value.object else { throw Self.invalid(nil, "not an object") }
        let id = object["id"].flatMap(JSONRPCID.init)
        let isResponse = object["method"] == nil && (object["result"] != nil || object["error"] != nil)
        guard object["jsonrpc"]?.string == "2.0" else {
            throw Self.invalid(isResponse ? nil : id, "jsonrpc must be \"2.0\"")
        }
        if isResponse {
            self = .response(id: id, try Self.outcome(of: object))
            return
        }
        guard let method = object["method"]?.string else { throw Self.invalid(id, "method must be a string") }
        let params = object["params"]?.object
        guard params != nil || object["params"] == nil else {
            throw InvalidMessage(id: id, error: .invalidParams("params must be an object"))
        }
        if object["id"] != nil, id == nil { throw Self.invalid(nil, "id must be a string or an integer") }
        let call = JSONRPCCall(method: method, params: params)
        self = if let id { .request(id: id, call) } else { .notification(call) }
    }

    private static func outcome(of object: JSONObject) throws(InvalidMessage) -> Result<JSONValue, JSONRPCError> {
        guard let error = object["error"] else { return .success(object["result"] ?? .null) }
        guard case .integer(let code)? = error["code"] else {
            throw InvalidMessage(id: nil, error: .invalidRequest("error without a code"), isResponse: true)
        }
        let message = error["message"]?.string ?? ""
        return .failure(JSONRPCError(code: Int(clamping: code), message: message, data: error["data"]))
    }

    private static func invalid(_ id: JSONRPCID?, _ reason: String) -> InvalidMessage {
        InvalidMessage(id: id, error: .invalidRequest(reason))
    }

    /// The message as JSON. An unknown id is left out, since the MCP schemas forbid `null`.
    var json: JSONValue {
        var object: JSONObject = ["jsonrpc": "2.0"]
        switch self {
        case .request(let id, let call):
            object["id"] = id.json
            object["method"] = .string(call.method)
            object["params"] = call.params.map(JSONValue.object)
        case .notification(let call):
            object["method"] = .string(call.method)
            object["params"] = call.params.map(JSONValue.object)
        case .response(let id, let outcome):
            object["id"] = id?.json
            switch outcome {
            case .success(let result): object["result"] = result
            case .failure(let error): object["error"] = error.json
            }
        }
        return .object(object)
    }
}
