/// Header fields with case-insensitive names (RFC 9110 section 5.1), in the order received, repetitions included.
struct HeaderFields: Sendable {
    let fields: [(name: String, value: String)]

    /// The value of a field without surrounding blanks; values of a repeated field joined by commas (RFC 9110 section
    /// 5.3), which no field that must be single can then match. `nil` when absent.
    subscript(name: String) -> String? {
        let values = values(of: name)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }

    /// Every value of a field, each without surrounding blanks.
    func values(of name: String) -> [String] {
        fields.filter { $0.name.equalsIgnoringCase(name) }.map { $0.value.trimmingBlanks }
    }
}

extension String {
    /// Whether both are equal when ASCII letters differ only by case.
    func equalsIgnoringCase(_ other: String) -> Bool {
        // Mostly they are the same as they are.
        hasSameBytes(as: other)
            || utf8.count == other.utf8.count
                && utf8.elementsEqual(other.utf8) { $0.asciiLowercased == $1.asciiLowercased }
    }

    /// Without spaces and tabs at both ends (optional white space, RFC 9110 section 5.6.3).
    var trimmingBlanks: String {
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard let first = utf8.first, let last = utf8.last, isBlank(first) || isBlank(last) else { return self }
        let inner = utf8.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        return String(decoding: Array(inner), as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var asciiLowercased: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}
