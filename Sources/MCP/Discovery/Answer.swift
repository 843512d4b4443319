/// What a service's reply means as an answer to the request with a given id.
enum Answer {
    /// The request succeeded; an answer that is no object counts as ``none``.
    case result(JSONObject)
    /// The request was refused.
    case error(code: Int, data: JSONValue?)
    /// The reply holds no answer of ours.
    case none

    /// The answer in a whole body, which holds nothing else: an error counts whatever its id, since servers that can't
    /// tie it to a request send none, `null` or an id of their own.
    init(_ body: [UInt8], awaiting id: Int64) {
        guard let value = try? JSONValue.parse(body), let message = try? JSONRPCMessage(value),
            case .response(let given, let outcome) = message
        else {
            self = .none
            return
        }
        switch outcome {
        case .failure(let error): self = .error(code: error.code, data: error.data)
        case .success(.object(let result)) where given == .integer(id): self = .result(result)
        case .success: self = .none
        }
    }

    /// The answer in one response of a stream, or `nil` when the response belongs to another request.
    init?(_ given: JSONRPCID?, _ outcome: Result<JSONValue, JSONRPCError>, awaiting id: Int64) {
        let isOurs = given == .integer(id)
        switch outcome {
        case .failure(let error) where isOurs || given == nil || given == .string("server-error"):
            self = .error(code: error.code, data: error.data)
        case .success(.object(let result)) where isOurs: self = .result(result)
        case .success where isOurs: self = .none
        default: return nil
        }
    }
}
