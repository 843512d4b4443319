extension JSONValue {
    /// Compact JSON: no blanks, members in their order, everything but quotes, backslashes and control characters as it
    /// is. A double that is not finite has no JSON form and becomes `null`.
    public func serialized() -> [UInt8] {
        var writer = JSONWriter(isCanonical: false)
        writer.write(self)
        return writer.bytes
    }

    /// Adds ``serialized()`` to bytes that are there already.
    public func write(to bytes: inout [UInt8]) {
        var writer = JSONWriter(isCanonical: false)
        swap(&writer.bytes, &bytes)
        writer.write(self)
        swap(&writer.bytes, &bytes)
    }

    /// ``serialized()`` as text.
    public var text: String { String(decoding: serialized(), as: UTF8.self) }

    /// The canonical text: members sorted by the UTF-16 units of their keys and doubles in ECMAScript's form (RFC 8785).
    /// Integers keep all their digits, where the RFC would round those beyond 2^53; what is written already stays as it is.
    public func canonical() -> String {
        var writer = JSONWriter(isCanonical: true)
        writer.write(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

private struct JSONWriter {
    let isCanonical: Bool
    var bytes: [UInt8] = []

    init(isCanonical: Bool) {
        self.isCanonical = isCanonical
    }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: write("null")
        case .bool(let value): write(value ? "true" : "false")
        case .integer(let value): write(String(value))
        case .double(let value): write(number(value))
        case .string(let value): quote(value)
        case .array(let elements): write(elements)
        case .object(let object): write(object)
        case .encoded(let value): bytes += value.bytes
        }
    }

    private mutating func write(_ elements: [JSONValue]) {
        bytes.append(UInt8(ascii: "["))
        for (position, element) in elements.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            write(element)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func write(_ object: JSONObject) {
        let members =
            isCanonical
            ? object.members.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) } : object.members
        bytes.append(UInt8(ascii: "{"))
        for (position, member) in members.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            quote(member.key)
            bytes.append(UInt8(ascii: ":"))
            write(member.value)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func write(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// Copies first and looks then: hardly any text needs an escape, and copying whole is fast.
    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        let start = bytes.count
        write(text)
        if bytes[start...].contains(where: { $0.needsEscape }) {
            bytes.removeSubrange(start...)
            for byte in text.utf8 { byte.needsEscape ? escape(byte) : bytes.append(byte) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): write("\\\"")
        case UInt8(ascii: "\\"): write("\\\\")
        case 0x08: write("\\b")
        case 0x09: write("\\t")
        case 0x0A: write("\\n")
        case 0x0C: write("\\f")
        case 0x0D: write("\\r")
        default: write((byte < 0x10 ? "\\u000" : "\\u00") + String(byte, radix: 16))
        }
    }

    private func number(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        return isCanonical ? value.ecmaScriptText : value.description
    }
}

extension UInt8 {
    /// Whether this byte can't stand in a JSON string as it is.
    fileprivate var needsEscape: Bool {
        self < 0x20 || self == UInt8(ascii: "\"") || self == UInt8(ascii: "\\")
    }
}

extension Double {
    /// ECMAScript's `Number::toString` (ECMA-262 section 6.1.6.1.20) of a finite number. Swift's `description` already has
    /// the shortest digits that read back alike; only their arrangement differs.
    fileprivate var ecmaScriptText: String {
        if self == 0 { return "0" }
        let parts = magnitude.description.split(separator: "e")
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = mantissa.count > 1 && mantissa[1] != "0" ? String(mantissa[1]) : ""
        let written = String(mantissa[0]) + fraction
        let leading = written.prefix { $0 == "0" }.count
        let digits = trimmingZeros(written.dropFirst(leading))
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let point = mantissa[0].count + exponent - leading
        return (self < 0 ? "-" : "") + arranged(digits, point: point)
    }

    private func trimmingZeros(_ digits: Substring) -> String {
        var digits = digits
        while digits.last == "0" { digits.removeLast() }
        return String(digits)
    }

    /// The digits with the decimal point after the first `point` of them.
    private func arranged(_ digits: String, point: Int) -> String {
        let count = digits.count
        if count <= point, point <= 21 { return digits + String(repeating: "0", count: point - count) }
        if 0 < point, point <= 21 { return digits.prefix(point) + "." + digits.dropFirst(point) }
        if -6 < point, point <= 0 { return "0." + String(repeating: "0", count: -point) + digits }
        let tail = count > 1 ? "." + digits.dropFirst() : ""
        let exponent = point - 1
        return digits.prefix(1) + tail + (exponent < 0 ? "e-" : "e+") + String(exponent.magnitude)
    }
}
