extension String {
    /// A URL without the parts that may hold secrets: user information, query and fragment.
    var loggableURL: String {
        let bare = prefix { $0 != "?" && $0 != "#" }
        guard let colon = bare.firstRange(of: "://") else { return String(bare) }
        let rest = bare[colon.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        return "\(bare[..<colon.upperBound])\(host)\(rest[authority.endIndex...])"
    }
}
