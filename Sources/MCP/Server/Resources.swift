/// A resource as `resources/list` shows it.
public struct ResourceDefinition: Sendable, Equatable {
    /// What it is read by.
    public var uri: String
    /// The name for programs.
    public var name: String
    /// The name for people.
    public var title: String
    /// What it says, for the model.
    public var description: String
    /// The media type of its text.
    public var mimeType: String

    /// A definition from its parts.
    public init(uri: String, name: String, title: String, description: String, mimeType: String) {
        self.uri = uri
        self.name = name
        self.title = title
        self.description = description
        self.mimeType = mimeType
    }

    var json: JSONValue {
        [
            "uri": .string(uri), "name": .string(name), "title": .string(title),
            "description": .string(description), "mimeType": .string(mimeType),
        ]
    }
}

/// A form of URIs as `resources/templates/list` shows it.
public struct ResourceTemplate: Sendable, Equatable {
    /// The form (RFC 6570).
    public var uriTemplate: String
    /// The name for programs.
    public var name: String
    /// The name for people.
    public var title: String
    /// What such a resource says, for the model.
    public var description: String
    /// The media type of its text.
    public var mimeType: String

    /// A template from its parts.
    public init(uriTemplate: String, name: String, title: String, description: String, mimeType: String) {
        self.uriTemplate = uriTemplate
        self.name = name
        self.title = title
        self.description = description
        self.mimeType = mimeType
    }

    var json: JSONValue {
        [
            "uriTemplate": .string(uriTemplate), "name": .string(name), "title": .string(title),
            "description": .string(description), "mimeType": .string(mimeType),
        ]
    }
}

/// What a resource says.
public struct ResourceText: Sendable, Equatable {
    /// Its media type.
    public var mimeType: String
    /// The text.
    public var text: String

    /// A text of a type.
    public init(mimeType: String, text: String) {
        self.mimeType = mimeType
        self.text = text
    }
}
