internal import HTTPTypes
internal import HummingbirdCore
internal import Registry

extension RequestIdentifier {
    /// Where it stands in requests and answers.
    static let header = HTTPField.Name("X-Request-Id")
    /// The longest id that is taken over, in characters.
    private static let charactersMax = 64

    /// The id that a request brings in `X-Request-Id`, as proxies give one, or else a new one. Only letters, digits and `-_.` are
    /// taken over: it goes into logs.
    static func of(_ request: Request) -> String {
        guard let id = header.flatMap({ request.headers[$0] }), (1...charactersMax).contains(id.utf8.count),
            id.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            })
        else { return new() }
        return id
    }
}
