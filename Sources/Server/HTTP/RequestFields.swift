internal import HTTPTypes
internal import HummingbirdCore
internal import MCP
internal import NIOCore
internal import Registry

/// The members of a JSON request body, read strictly. Unknown members are ignored; the `Content-Type` is too, because the
/// original registry did and agents live with it.
struct RequestFields {
    /// Bodies above this are refused with 413: 1 MiB.
    static let bodyBytesMax = 1_048_576

    private let object: JSONObject

    /// Reads the body.
    ///
    /// - Throws: ``Problem`` 400 when it is no JSON object, 413 when it is too long.
    init(body request: Request) async throws {
        self.init(try Self.parse(try await Self.collect(request)))
    }

    /// Reads the body, or the query when there is none.
    init(bodyOrQuery request: Request) async throws {
        let bytes = try await Self.collect(request)
        guard bytes.isEmpty, request.uri.query != nil else {
            self.init(try Self.parse(bytes))
            return
        }
        self.init(try Self.queryFields(request))
    }

    /// Reads some parameters of the query, if there is one; what else it says does not matter.
    ///
    /// - Throws: ``Problem`` 400 for one of them that is given twice or is not UTF-8.
    init(query request: Request, only names: Set<String>) throws {
        self.init(request.uri.query == nil ? [:] : try Self.queryFields(request, only: names))
    }

    private init(_ object: JSONObject) {
        self.object = object
    }

    private static func queryFields(_ request: Request, only names: Set<String>? = nil) throws -> JSONObject {
        var object = JSONObject()
        for (name, value) in request.uri.queryParameters where names?.contains(String(name)) ?? true {
            guard object[String(name)] == nil else {
                throw Problem.invalid("the query parameter \(name) is given twice")
            }
            // What percent-decoding puts in place of bytes that are not UTF-8.
            guard !value.unicodeScalars.contains("\u{FFFD}") else {
                throw Problem.invalid("the query parameter \(name) is not UTF-8")
            }
            object[String(name)] = .string(String(value))
        }
        return object
    }

    /// The whole body.
    ///
    /// - Throws: ``Problem`` 413 when it is too long, 400 when it breaks off or breaks the rules of HTTP, 408 when it does not come in time.
    static func collect(_ request: Request) async throws -> [UInt8] {
        do {
            let buffer = try await request.body.collect(upTo: bodyBytesMax)
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem(.contentTooLarge, "invalid", "the request body is longer than \(bodyBytesMax) bytes")
        } catch is CancellationError {
            throw CancellationError()
        } catch IncomingBody.Break.late {
            throw Problem(
                .requestTimeout,
                "invalid",
                "the request body did not arrive in time",
                headers: [.connection: "close"]
            )
        } catch {
            throw Problem(
                .badRequest,
                "invalid",
                "the request body could not be read to its end",
                headers: [.connection: "close"]
            )
        }
    }

    private static func parse(_ bytes: [UInt8]) throws -> JSONObject {
        guard !bytes.isEmpty else { throw Problem.invalid("the request has no body: send a JSON object") }
        let value: JSONValue
        do {
            value = try JSONValue.parse(bytes)
        } catch {
            throw Problem.invalid("the request body is not valid JSON: \(error)")
        }
        guard let object = value.object else { throw Problem.invalid("the request body must be a JSON object") }
        return object
    }

    /// A text that must be there and not empty.
    ///
    /// - Throws: ``Problem`` 400 with `missing` as its detail, or one that says that it is no string.
    func required(_ name: String, orElse missing: String) throws -> String {
        guard let text = try optional(name), !text.isEmpty else { throw Problem.invalid(missing) }
        return text
    }

    /// A text; nil when the member is missing.
    func optional(_ name: String, nullAllowed: Bool = false) throws -> String? {
        guard let value = object[name] else { return nil }
        if nullAllowed, value.isNull { return nil }
        guard let text = value.string else { throw Problem.invalid("\(name) must be a string") }
        return text
    }

    /// What ``page()`` reads.
    static let pageNames: Set = ["limit", "cursor"]

    /// Which part of a list is wanted; nil for all of it.
    ///
    /// - Throws: ``Problem`` 400, ``RegistryError`` with code `invalid`
    func page() throws -> PageRequest? {
        let cursor = try optional("cursor")
        guard let wish = object["limit"] else { return try cursor.map { try PageRequest(cursor: $0) } }
        guard let limit = wish.integer ?? wish.string.flatMap({ Int64($0) }) else {
            throw Problem.invalid("limit must be a whole number")
        }
        return try PageRequest(limit: Int(clamping: limit), cursor: cursor)
    }
}
