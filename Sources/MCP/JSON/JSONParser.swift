extension JSONValue {
    /// Reads exactly one JSON value (RFC 8259), strictly: UTF-8 without faults, no lone surrogates, no duplicate keys,
    /// nothing after the value but white space.
    ///
    /// - Throws: ``JSONError`` with the offset of the first fault.
    public static func parse(
        _ bytes: some Collection<UInt8>,
        limits: JSONLimits = JSONLimits()
    ) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes: Array(bytes), limits: limits)
        return try parser.document()
    }

    /// Reads exactly one JSON value from text.
    ///
    /// - Throws: ``JSONError`` with the offset, in UTF-8 bytes, of the first fault.
    public static func parse(_ text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        try parse(text.utf8, limits: limits)
    }
}

/// A recursive descent over the bytes; recursion is bounded by ``JSONLimits/depth``.
private struct JSONParser {
    let bytes: [UInt8]
    let limits: JSONLimits
    var at = 0
    var depth = 0

    init(bytes: [UInt8], limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func document() throws(JSONError) -> JSONValue {
        skipSpace()
        let value = try self.value()
        skipSpace()
        guard at == bytes.count else { throw fault(.trailingBytes) }
        return value
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "{"): return .object(try nested { parser throws(JSONError) in try parser.object() })
        case UInt8(ascii: "["): return .array(try nested { parser throws(JSONError) in try parser.array() })
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw fault(.unexpectedByte)
        }
    }

    /// Enters one level of nesting; the opening bracket is skipped here.
    private mutating func nested<Value>(
        _ body: (inout JSONParser) throws(JSONError) -> Value
    ) throws(JSONError) -> Value {
        guard depth < limits.depth else { throw fault(.tooDeep) }
        depth += 1
        at += 1
        skipSpace()
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func array() throws(JSONError) -> [JSONValue] {
        var elements: [JSONValue] = []
        if try peek() == UInt8(ascii: "]") {
            at += 1
            return elements
        }
        repeat {
            skipSpace()
            elements.append(try value())
            skipSpace()
        } while try continues(until: UInt8(ascii: "]"))
        return elements
    }

    private mutating func object() throws(JSONError) -> JSONObject {
        var members = JSONObject()
        if try peek() == UInt8(ascii: "}") {
            at += 1
            return members
        }
        repeat {
            skipSpace()
            let start = at
            guard try peek() == UInt8(ascii: "\"") else { throw fault(.unexpectedByte) }
            let key = try string()
            skipSpace()
            guard try peek() == UInt8(ascii: ":") else { throw fault(.unexpectedByte) }
            at += 1
            skipSpace()
            guard members.insert(key, try value()) else { throw JSONError(kind: .duplicateKey, offset: start) }
            skipSpace()
        } while try continues(until: UInt8(ascii: "}"))
        return members
    }

    /// Takes a comma (true) or the closing bracket (false).
    private mutating func continues(until close: UInt8) throws(JSONError) -> Bool {
        let byte = try peek()
        guard byte == close || byte == UInt8(ascii: ",") else { throw fault(.unexpectedByte) }
        at += 1
        return byte != close
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for byte in word.description.utf8 {
            guard try peek() == byte else { throw fault(.unexpectedByte) }
            at += 1
        }
        return value
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        let start = at
        at += 1
        let plain = try skipPlain()
        if bytes[at] == UInt8(ascii: "\"") {
            at += 1
            return try text(bytes[plain], startingAt: start)
        }
        var unescaped = Array(bytes[plain])
        while bytes[at] != UInt8(ascii: "\"") {
            try escape(into: &unescaped)
            unescaped.append(contentsOf: bytes[try skipPlain()])
        }
        at += 1
        return try text(unescaped[...], startingAt: start)
    }

    /// Skips to the next quote or backslash, which is then at `at`.
    private mutating func skipPlain() throws(JSONError) -> Range<Int> {
        let start = at
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return start..<at }
            guard byte >= 0x20 else { throw fault(.controlCharacter) }
            at += 1
        }
        throw fault(.unexpectedEnd)
    }

    private func text(_ slice: ArraySlice<UInt8>, startingAt start: Int) throws(JSONError) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw JSONError(kind: .invalidUTF8, offset: start)
        }
        return text
    }

    private mutating func escape(into unescaped: inout [UInt8]) throws(JSONError) {
        let start = at
        at += 1
        let byte = try peek()
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try scalar(startingAt: start)
            unescaped.append(contentsOf: Character(scalar).utf8)
        default: throw JSONError(kind: .invalidEscape, offset: start)
        }
    }

    /// The code point of `\uXXXX`, or of a surrogate pair of two such escapes.
    private mutating func scalar(startingAt start: Int) throws(JSONError) -> Unicode.Scalar {
        let high = try fourHexDigits()
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard high < 0xDC00, at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u")
        else { throw JSONError(kind: .loneSurrogate, offset: start) }
        at += 2
        let low = try fourHexDigits()
        guard (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(high - 0xD800) << 10 | UInt32(low - 0xDC00)))
        else { throw JSONError(kind: .loneSurrogate, offset: start) }
        return scalar
    }

    private mutating func fourHexDigits() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            let byte = try peek()
            guard let digit = Unicode.Scalar(byte).hexDigit else { throw fault(.invalidEscape) }
            value = value << 4 | digit
            at += 1
        }
        return value
    }

    // MARK: Numbers

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = at
        let isNegative = bytes[at] == UInt8(ascii: "-")
        if isNegative { at += 1 }
        let digits = skipDigits()
        guard !digits.isEmpty, digits.count == 1 || bytes[digits.lowerBound] != UInt8(ascii: "0") else {
            throw JSONError(kind: .invalidNumber, offset: start)
        }
        var isInteger = true
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at += 1
            isInteger = false
            guard !skipDigits().isEmpty else { throw JSONError(kind: .invalidNumber, offset: start) }
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            isInteger = false
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            guard !skipDigits().isEmpty else { throw JSONError(kind: .invalidNumber, offset: start) }
        }
        if isInteger, let value = integer(digits, isNegative: isNegative) { return .integer(value) }
        guard let value = Double(String(decoding: bytes[start..<at], as: UTF8.self)), value.isFinite else {
            throw JSONError(kind: .numberOutOfRange, offset: start)
        }
        return .double(value)
    }

    private mutating func skipDigits() -> Range<Int> {
        let start = at
        while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
        return start..<at
    }

    /// The digits as a 64-bit number, or `nil` when they do not fit. Counts downwards, since the least number has no
    /// positive twin.
    private func integer(_ digits: Range<Int>, isNegative: Bool) -> Int64? {
        var value: Int64 = 0
        for byte in bytes[digits] {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (difference, underflow) = product.subtractingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
            if overflow || underflow { return nil }
            value = difference
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }

    // MARK: Bytes

    private mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: return
            }
        }
    }

    private func peek() throws(JSONError) -> UInt8 {
        guard at < bytes.count else { throw fault(.unexpectedEnd) }
        return bytes[at]
    }

    private func fault(_ kind: JSONError.Kind) -> JSONError {
        JSONError(kind: at < bytes.count ? kind : .unexpectedEnd, offset: at)
    }
}

extension Unicode.Scalar {
    fileprivate var hexDigit: UInt16? {
        Character(self).hexDigitValue.flatMap(UInt16.init(exactly:))
    }
}
