internal import HTTPTypes

/// Headers that a request may have once only: a proxy could go by one of them, and the registry by the other.
enum SingleHeaders {
    /// `Authorization`, `Host` and those of MCP are looked at where they are read.
    private static let names: Set = ["content-type", "idempotency-key", "x-request-id"]

    /// - Throws: ``Problem`` 400 for one that is given twice
    static func check(_ headers: HTTPFields) throws {
        var seen: Set<String> = []
        for field in headers where names.contains(field.name.canonicalName) {
            guard seen.insert(field.name.canonicalName).inserted else {
                throw Problem.invalid("\(field.name.rawName) is given twice")
            }
        }
    }
}
