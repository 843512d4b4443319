internal import HTTPTypes

/// Headers that a request may have once only: a proxy could go by one of them, and the registry by the other.
enum SingleHeaders {
    /// `Authorization`, `Host` and those of MCP are looked at where they are read.
    private static let names = [
        "Content-Type", "Idempotency-Key", "X-Request-Id",
    ].compactMap { HTTPField.Name($0) }

    /// - Throws: ``Problem`` 400 for one that is given twice
    static func check(_ headers: HTTPFields) throws {
        for name in names where headers[values: name].count > 1 {
            throw Problem.invalid("\(name.rawName) is given twice")
        }
    }
}
