internal import MCP

/// An argument of a tool: its schema, and how it is checked. Both come from the same declaration, so they can't differ.
struct ToolParameter: Sendable {
    enum Kind: String, Sendable {
        case string, integer, boolean
    }

    let name: String
    let kind: Kind
    let description: String
    /// What a missing argument counts as; nil when there is no such value.
    let standard: JSONValue?
    /// Whether it may be missing, or `null`, which models like to write for it.
    let isOptional: Bool
    /// Whether an error must not repeat its value.
    let isSecret: Bool

    init(
        _ name: String,
        _ kind: Kind,
        _ description: String,
        standard: JSONValue? = nil,
        isOptional: Bool = false,
        isSecret: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.description = description
        self.standard = standard
        self.isOptional = isOptional || standard != nil
        self.isSecret = isSecret
    }

    /// A text.
    init(
        _ name: String,
        _ description: String,
        standard: JSONValue? = nil,
        isOptional: Bool = false,
        isSecret: Bool = false
    ) {
        self.init(name, .string, description, standard: standard, isOptional: isOptional, isSecret: isSecret)
    }

    var schema: JSONValue {
        var schema: JSONObject = [
            "title": .string(name.split(separator: "_").map { $0.capitalizedFirst }.joined(separator: " ")),
            "type": .string(kind.rawValue),
            "description": .string(description),
        ]
        if let standard { schema["default"] = standard }
        return .object(schema)
    }

    /// JSON Schema's view of types: `1.0` is an integer, `true` is not.
    func accepts(_ value: JSONValue) -> Bool {
        switch kind {
        case .string: value.string != nil
        case .boolean: value.bool != nil
        case .integer: value.bool == nil && (value.integer != nil || value.double.map { $0 == $0.rounded() } == true)
        }
    }
}

extension Substring {
    fileprivate var capitalizedFirst: String {
        prefix(1).uppercased() + dropFirst()
    }
}

/// The arguments of a call, checked against the tool's parameters.
struct ToolArguments: Sendable {
    /// Why a call's arguments were refused, in the words of JSON Schema validators.
    struct Refusal: Error {
        var message: String
    }

    private let values: JSONObject

    /// - Throws: ``Refusal`` for the first argument that is missing, unknown or of the wrong type.
    init(_ given: JSONObject, _ parameters: [ToolParameter]) throws(Refusal) {
        var values = JSONObject()
        for parameter in parameters {
            let isLeftOut = parameter.isOptional && given[parameter.name]?.isNull != false
            guard let value = isLeftOut ? parameter.standard : given[parameter.name] else {
                if parameter.isOptional { continue }
                throw Refusal(message: "Input validation error: '\(parameter.name)' is a required property")
            }
            guard parameter.accepts(value) else {
                let shown = parameter.isSecret ? "'\(parameter.name)'" : Self.shown(value)
                throw Refusal(message: "Input validation error: \(shown) is not of type '\(parameter.kind.rawValue)'")
            }
            values[parameter.name] = value
        }
        let names = Set(parameters.map(\.name))
        if let unknown = given.keys.first(where: { !names.contains($0) }) {
            throw Refusal(
                message: "Input validation error: Additional properties are not allowed "
                    + "(\(Self.shown(.string(unknown))) was unexpected)"
            )
        }
        self.values = values
    }

    /// A text. The name must be declared as one.
    func string(_ name: String) -> String {
        guard let text = values[name]?.string else { preconditionFailure("\(name) is no declared string") }
        return text
    }

    /// A truth value. The name must be declared as one.
    func boolean(_ name: String) -> Bool {
        guard let value = values[name]?.bool else { preconditionFailure("\(name) is no declared boolean") }
        return value
    }

    /// A text that was given, even an empty one. The name must be declared as an optional one.
    func string(ifGiven name: String) -> String? {
        values[name]?.string
    }

    /// A truth value that was given. The name must be declared as an optional one.
    func boolean(ifGiven name: String) -> Bool? {
        values[name]?.bool
    }

    /// A whole number; nil when it is beyond 64 bits. The name must be declared as one.
    func integer(_ name: String) -> Int64? {
        values[name]?.integer
    }

    /// The value as JSON, for an error that names it.
    func text(_ name: String) -> String {
        values[name].map(Self.shown) ?? ""
    }

    /// Characters of a value that an error repeats: it is read by people and models.
    private static let shownMax = 100

    private static func shown(_ value: JSONValue) -> String {
        (value.string.map { "'\($0)'" } ?? value.text).shortened(to: shownMax)
    }
}
