/// What an agent must send to a service on a user's behalf.
public enum Access: Sendable {
    /// Nothing: the service requires no authorization.
    case open
    /// `Authorization: <method> <token>`
    case token(Secret, AuthorizationMethod)
}

/// A token as a caller hands it in: 1 to 16,384 bytes that can stand in an `Authorization` header.
public struct NewToken: Sendable {
    let secret: Secret

    /// Checks the text.
    ///
    /// - Throws: ``RegistryError`` with code `invalid`; the message never repeats the token.
    public init(_ text: String) throws(RegistryError) {
        guard !text.allSatisfy(\.isWhitespace) else {
            throw RegistryError(.invalid, "token must not be empty or blank")
        }
        guard text.utf8.count <= Limits.tokenBytesMax else {
            throw RegistryError(.invalid, "token is longer than \(Limits.tokenBytesMax) bytes")
        }
        // RFC 9110 §5.5: a field value holds no control characters.
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw RegistryError(.invalid, "token must not contain control characters")
        }
        secret = Secret(text)
    }
}
