/// Characters are Unicode scalars here: what people take for one character may be any number of them, a letter with 400,000 accents.
extension String {
    /// The first `length` characters.
    func cut(to length: Int) -> String {
        guard utf8.count > length else { return self }
        return String(unicodeScalars.prefix(length))
    }

    /// The first `length` characters, with an ellipsis in place of the rest.
    public func shortened(to length: Int) -> String {
        let start = cut(to: length)
        return start.utf8.count == utf8.count ? self : start + "…"
    }

    /// At most 128 characters, for texts of the other side that are repeated in a message.
    var clipped: String { shortened(to: 128) }
}
