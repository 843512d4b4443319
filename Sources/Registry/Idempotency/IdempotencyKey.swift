/// What a caller names a request by, so that it can be sent again without being done again
/// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
///
/// 1 to 255 printable ASCII characters without blanks. Every caller has keys of its own. What was answered is kept for
/// ``keptFor``.
public struct IdempotencyKey: Sendable, Hashable {
    /// How long an answer is kept: a day.
    public static let keptFor = Duration.seconds(86_400)
    /// The longest key, in characters.
    public static let charactersMax = 255

    let text: String

    /// A key as the caller wrote it.
    ///
    /// - Throws: ``RegistryError`` with code `invalid`
    public init(_ text: String) throws(RegistryError) {
        guard (1...Self.charactersMax).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw RegistryError(
                .invalid,
                "Idempotency-Key must be 1 to \(Self.charactersMax) printable ASCII characters without blanks"
            )
        }
        self.text = text
    }
}
