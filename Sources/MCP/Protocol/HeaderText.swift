/// The form in which a text travels in a header field such as `Mcp-Name`: itself when it is plain, else
/// `=?base64?…?=` (2026-07-28, Streamable HTTP, "Value Encoding").
enum HeaderText {
    private static let prefix = "=?base64?"
    private static let suffix = "?="

    /// What stands in the header for `text`.
    static func encode(_ text: String) -> String {
        let isPlain =
            text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && text.utf8.first != 0x20 && text.utf8.last != 0x20
            && !isMarked(text)
        return isPlain ? text : prefix + Base64.encode(Array(text.utf8)) + suffix
    }

    /// The text that a header value stands for, or `nil` when a marked value is not canonical base64 of UTF-8.
    static func decode(_ value: String) -> String? {
        guard isMarked(value) else { return value }
        guard let bytes = Base64.decode(value.utf8.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)) else {
            return nil
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func isMarked(_ text: String) -> Bool {
        text.utf8.count >= prefix.utf8.count + suffix.utf8.count && text.hasPrefix(prefix) && text.hasSuffix(suffix)
    }
}
