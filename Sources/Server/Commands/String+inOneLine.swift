internal import MCP

extension String {
    /// Without line breaks, and with other control and format characters as escapes, so that a terminal obeys none.
    var inOneLine: String {
        unicodeScalars.map { scalar in
            switch scalar {
            case "\n", "\r", "\t", "\u{2028}", "\u{2029}": " "
            default: scalar.isInvisible ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
            }
        }.joined()
    }
}
