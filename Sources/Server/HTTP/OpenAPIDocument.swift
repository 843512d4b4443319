internal import HTTPTypes
internal import MCP
internal import Registry

/// What the HTTP surface is, for programs (OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.0). A test keeps it and the routes equal.
enum OpenAPIDocument {
    static let path = "/openapi.json"

    /// The route that tells it, to anybody: it holds nothing that the README does not.
    static let route = Route(.get, path, .open) { _, _ in .json(document) }

    static let document: JSONValue = [
        "openapi": "3.1.0",
        "info": [
            "title": "MCP Registry",
            "version": .string(Version.current),
            "description": """
            Which MCP services exist, which tools a role may use, and which credential to send. The same and more is to be had over \
            MCP at /mcp.
            """,
        ],
        "security": [["bearer": []]],
        "paths": .object(
            JSONObject(
                operations.grouped.map { path, operations in
                    (path, .object(JSONObject(operations.map { ($0.method.rawValue.lowercased(), $0.json) })))
                }
            )
        ),
        "components": [
            "securitySchemes": [
                "bearer": [
                    "type": "http", "scheme": "bearer",
                    "description":
                        "The administrator's token, an API key (mcpr_…), or an access token of the identity provider.",
                ]
            ],
            "schemas": .object(JSONObject(schemas)),
        ],
    ]

    // The operations.

    static let operations: [Operation] = [
        Operation(.get, "/health", "Whether the process lives", answer: ["status": text, "service": text]),
        Operation(
            .get,
            "/ready",
            "Whether requests can be served",
            answer: ["status": text],
            errors: [503]
        ),
        Operation(.get, path, "This document", answer: ["openapi": text]),
        Operation(
            .post,
            MCPRoute.path,
            "MCP (Streamable HTTP): https://modelcontextprotocol.io/specification",
            scope: nil,
            isOpen: false,
            isChange: true,
            body: .object,
            answer: [:],
            errors: [400, 401, 403, 404, 406, 413, 415, 429, 503]
        ),
        Operation(
            .get,
            "/list_services",
            "All services, by name; with limit a page of them",
            scope: .read,
            parameters: page,
            answer: ["services": ["type": "object", "additionalProperties": reference("Service")]],
            isPaged: true
        ),
        Operation(
            .get,
            "/token",
            "The credential that an agent must send to a service for a user",
            scope: .readTokens,
            parameters: userAtService,
            answerSchema: reference("Credential"),
            errors: [404]
        ),
        Operation(
            .post,
            "/token",
            "The credential that an agent must send to a service for a user",
            scope: .readTokens,
            body: .fields(userAtService),
            answerSchema: reference("Credential"),
            errors: [404]
        ),
        Operation(
            .post,
            "/user_token",
            "Store a user's token for a service",
            scope: .writeTokens,
            isChange: true,
            body: .fields(
                userAtService + [
                    Field("token", token),
                    Field(
                        "expires_at",
                        [
                            "type": ["string", "null"], "format": "date-time",
                            "description": "From when on it is not given out.",
                        ],
                        isRequired: false
                    ),
                ]
            ),
            answer: ["status": text],
            errors: [404]
        ),
        Operation(
            .post,
            "/role_for_user",
            "A user's role; empty for none. A user that was never seen is registered",
            scope: .read,
            body: .fields([Field("user_id", name)]),
            answer: ["role": text]
        ),
        Operation(
            .post,
            "/tools_for_role",
            "The tools that a role may use; with limit a page of them",
            scope: .read,
            body: .fields([Field("role", name)] + page),
            answer: ["tools": ["type": "array", "items": reference("Tool")]],
            isPaged: true,
            errors: [404]
        ),
        Operation(
            .post,
            "/system_prompt_for_role",
            "A role's default system prompt",
            scope: .read,
            body: .fields([Field("role", name)]),
            answer: ["default_system_prompt": text],
            errors: [404]
        ),
        Operation(
            .get,
            "/list_users",
            "All users with their roles; with limit a page of them",
            scope: .administer,
            parameters: page,
            answer: ["users": ["type": "array", "items": reference("UserEntry")]],
            isPaged: true
        ),
        Operation(
            .post,
            "/register_user",
            "Register a user, with a role or without",
            scope: .administer,
            isChange: true,
            body: .fields([
                Field("user_id", name),
                Field("role_name", ["oneOf": [["type": "null"], ["const": ""], name]], isRequired: false),
            ]),
            answer: ["status": text],
            errors: [404]
        ),
        Operation(
            .post,
            "/discovery_credential",
            "Store what the registry itself sends to a service to read its tools",
            scope: .write,
            isChange: true,
            body: .fields([
                Field("service_name", name), Field("token", token),
                Field("method_authorization", ["enum": ["Basic", "Bearer"]]),
            ]),
            answer: ["status": text],
            errors: [404]
        ),
    ]

    // The schemas.

    fileprivate static let text: JSONValue = ["type": "string"]
    private static let name = reference("Name")
    private static let token: JSONValue = [
        "type": "string", "minLength": 1, "maxLength": .integer(Int64(Limits.tokenBytesMax)),
        // Not blank, and no control characters.
        "pattern": #"^(?=[\s\S]*\S)[^\u0000-\u001f\u007f-\u009f]+$"#,
        "description": "At most 16,384 bytes in UTF-8, of which a character may take four.",
    ]
    private static let page = [
        Field(
            "limit",
            ["type": "integer", "minimum": 1, "maximum": .integer(Int64(PageRequest.limitMax))],
            isRequired: false
        ),
        Field("cursor", ["type": "string", "description": "next_cursor of the page before."], isRequired: false),
    ]
    private static let userAtService = [Field("service_name", name), Field("user_id", name)]

    private static let schemas: [(String, JSONValue)] = [
        (
            "Name",
            [
                "type": "string", "minLength": 1, "maxLength": .integer(Int64(Limits.nameCharactersMax)),
                // No control characters, and no white space at either end.
                "pattern": #"^(?!\s)[^\u0000-\u001f\u007f-\u009f]+(?<!\s)$"#,
            ]
        ),
        ("Service", object(["transport": ["enum": ["streamable_http", "sse"]], "url": text])),
        (
            "Credential",
            [
                "oneOf": [
                    object(["status": ["const": "Ok"]]),
                    object(["token": text, "method_authorization": ["enum": ["Basic", "Bearer"]]]),
                ]
            ]
        ),
        ("Tool", object(["id": ["type": "integer"], "name": text, "description": text, "service_name": text])),
        ("UserEntry", object(["user": object(["user_id": text, "role": text])])),
        (
            "Problem",
            object(
                [
                    "type": text, "title": text, "status": ["type": "integer"], "detail": text, "code": text,
                ],
                isClosed: false
            )
        ),
    ]

    fileprivate static let idempotencyKey: JSONValue = [
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": """
        The caller's name for the request: sent again within 24 h it is not done again, and answered as the first time, with \
        Idempotency-Replayed: true.
        """,
        "schema": [
            "type": "string", "minLength": 1, "maxLength": .integer(Int64(IdempotencyKey.charactersMax)),
            "pattern": #"^[\x21-\x7e]+$"#,
        ],
    ]

    fileprivate static func reference(_ schema: String) -> JSONValue {
        ["$ref": .string("#/components/schemas/\(schema)")]
    }

    /// An object that has all of these members, and no other where it is closed but the optional ones.
    fileprivate static func object(
        _ members: JSONObject,
        optional: JSONObject = [:],
        isClosed: Bool = true
    ) -> JSONValue {
        let properties = JSONObject((members.members + optional.members).map { ($0.key, $0.value) })
        return [
            "type": "object", "properties": .object(properties), "required": .array(members.keys.map(JSONValue.string)),
            "additionalProperties": .bool(!isClosed),
        ]
    }
}

extension OpenAPIDocument {
    /// A member of a request.
    struct Field: Sendable {
        let name: String
        let schema: JSONValue
        let isRequired: Bool

        init(_ name: String, _ schema: JSONValue, isRequired: Bool = true) {
            (self.name, self.schema, self.isRequired) = (name, schema, isRequired)
        }
    }

    /// What a request carries.
    enum Body: Sendable {
        case none
        /// Any object.
        case object
        case fields([Field])
    }

    /// One method of one path.
    struct Operation: Sendable {
        let method: HTTPRequest.Method
        let path: String
        private let summary: String
        private let scope: Scope?
        private let isOpen: Bool
        /// Whether it is done once under an `Idempotency-Key`.
        let isChange: Bool
        private let parameters: [Field]
        private let body: Body
        private let answer: JSONValue
        private let errors: [Int]

        init(
            _ method: HTTPRequest.Method,
            _ path: String,
            _ summary: String,
            scope: Scope? = nil,
            isOpen: Bool? = nil,
            isChange: Bool = false,
            parameters: [Field] = [],
            body: Body = .none,
            answer: JSONObject = [:],
            answerSchema: JSONValue? = nil,
            isPaged: Bool = false,
            errors: [Int] = []
        ) {
            (self.method, self.path, self.summary, self.scope) = (method, path, summary, scope)
            self.isOpen = isOpen ?? (scope == nil)
            self.isChange = isChange
            (self.parameters, self.body) = (parameters, body)
            self.answer =
                answerSchema
                ?? OpenAPIDocument.object(
                    answer,
                    optional: isPaged ? ["next_cursor": OpenAPIDocument.text] : [:],
                    isClosed: scope != nil
                )
            self.errors = errors
        }

        var json: JSONValue {
            var operation: JSONObject = ["summary": .string(summary)]
            operation["operationId"] = .string(
                method.rawValue.lowercased() + path.replacing("/", with: "_").replacing(".", with: "_")
            )
            if isOpen { operation["security"] = [] }
            if let scope {
                operation["description"] = .string("Takes the scope \(scope).")
                operation["x-scope"] = .string(scope.rawValue)
            }
            var all = parameters.map { field -> JSONValue in
                [
                    "name": .string(field.name), "in": "query", "required": .bool(field.isRequired),
                    "schema": field.schema,
                ]
            }
            if isChange { all.append(OpenAPIDocument.idempotencyKey) }
            if !all.isEmpty { operation["parameters"] = .array(all) }
            if let schema = bodySchema {
                operation["requestBody"] = ["required": true, "content": ["application/json": ["schema": schema]]]
            }
            operation["responses"] = responses
            return .object(operation)
        }

        private var bodySchema: JSONValue? {
            switch body {
            case .none: nil
            case .object: ["type": "object"]
            case .fields(let fields):
                [
                    "type": "object",
                    "properties": .object(JSONObject(fields.map { ($0.name, $0.schema) })),
                    "required": .array(fields.filter(\.isRequired).map { .string($0.name) }),
                ]
            }
        }

        private var responses: JSONValue {
            let done: JSONValue = ["description": "Done", "content": ["application/json": ["schema": answer]]]
            var codes = Set(errors)
            if isChange { codes.insert(409) }
            if scope != nil { codes.formUnion([401, 403, 429, 503]) }
            if scope != nil, bodySchema != nil || !parameters.isEmpty { codes.formUnion([400, 413]) }
            let problems = codes.sorted().map { code -> (String, JSONValue) in
                let title = HTTPResponse.Status(code: code).phrase
                let content: JSONValue = ["application/problem+json": ["schema": OpenAPIDocument.reference("Problem")]]
                return ("\(code)", ["description": .string(title), "content": content])
            }
            return .object(JSONObject([("200", done)] + problems))
        }
    }
}

extension [OpenAPIDocument.Operation] {
    /// By path, in the order in which the paths come first.
    fileprivate var grouped: [(String, [OpenAPIDocument.Operation])] {
        var paths: [String] = []
        for operation in self where !paths.contains(operation.path) { paths.append(operation.path) }
        return paths.map { path in (path, filter { $0.path == path }) }
    }
}
