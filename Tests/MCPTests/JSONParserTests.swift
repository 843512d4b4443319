import Testing

@testable import MCP

@Suite("JSON parser")
struct JSONParserTests {
    static let good: [(String, JSONValue)] = [
        ("null", nil), ("true", true), (" false\n", false), ("\t0\r", 0), ("-0", 0), ("42", 42),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("9223372036854775808", .double(9_223_372_036_854_775_808)),
        ("-9223372036854775809", .double(-9_223_372_036_854_775_808)),
        ("123456789012345678901234567890", .double(1.2345678901234568e29)),
        ("1.0", .double(1)), ("-1.5e-3", .double(-0.0015)), ("1E+2", .double(100)),
        ("5e-324", .double(.leastNonzeroMagnitude)),
        ("\"\"", ""), (#""a\"\\\/\b\f\n\r\t""#, .string("a\"\\/\u{8}\u{C}\n\r\t")),
        (#""\u00e9\u0000\uD83D\uDE00""#, .string("é\u{0}😀")), ("\"é😀\u{2028}\"", .string("é😀\u{2028}")),
        ("[]", []), ("[ ]", []), ("[1,[2],{}]", [1, [2], [:]]), ("{}", [:]), ("{ }", [:]),
        (#"{"b":1, "a" : [null]}"#, ["b": 1, "a": [nil]]), (#"{"":0}"#, ["": 0]),
        // Equivalent to each other in Unicode, yet two keys in JSON.
        ("{\"\u{e9}\":1,\"e\u{301}\":2}", .object(JSONObject([("\u{e9}", 1), ("e\u{301}", 2)]))),
    ]

    @Test("reads valid texts", arguments: good)
    func valid(text: String, expected: JSONValue) throws {
        #expect(try JSONValue.parse(text) == expected)
    }

    static let bad: [(String, JSONError.Kind, Int)] = [
        ("", .unexpectedEnd, 0), ("  ", .unexpectedEnd, 2), ("nul", .unexpectedEnd, 3), ("nulL", .unexpectedByte, 3),
        ("True", .unexpectedByte, 0), ("NaN", .unexpectedByte, 0), ("-Infinity", .invalidNumber, 0),
        ("1 2", .trailingBytes, 2), ("{} x", .trailingBytes, 3), ("\u{FEFF}{}", .unexpectedByte, 0),
        ("01", .invalidNumber, 0), ("-", .invalidNumber, 0), ("[1.]", .invalidNumber, 1), ("1e", .invalidNumber, 0),
        ("1e+", .invalidNumber, 0), (".5", .unexpectedByte, 0), ("+1", .unexpectedByte, 0), ("0x10", .trailingBytes, 1),
        ("1e400", .numberOutOfRange, 0), ("[,]", .unexpectedByte, 1), ("[1,]", .unexpectedByte, 3),
        ("[1 2]", .unexpectedByte, 3), ("[1", .unexpectedEnd, 2), ("[", .unexpectedEnd, 1), ("]", .unexpectedByte, 0),
        ("{", .unexpectedEnd, 1), ("{1:2}", .unexpectedByte, 1), ("{\"a\"}", .unexpectedByte, 4),
        ("{\"a\":}", .unexpectedByte, 5), ("{\"a\":1,}", .unexpectedByte, 7), ("{\"a\":1]", .unexpectedByte, 6),
        ("{'a':1}", .unexpectedByte, 1), ("/*c*/1", .unexpectedByte, 0),
        ("\"", .unexpectedEnd, 1), ("\"a", .unexpectedEnd, 2), ("\"a\\", .unexpectedEnd, 3),
        ("\"\u{1}\"", .controlCharacter, 1), ("\"a\nb\"", .controlCharacter, 2), ("\"\\x\"", .invalidEscape, 1),
        ("\"\\u12g4\"", .invalidEscape, 5), ("\"\\u+123\"", .invalidEscape, 3), ("\"\\u12", .unexpectedEnd, 5),
        ("\"\\ud800\"", .loneSurrogate, 1), ("\"\\udc00\"", .loneSurrogate, 1),
        ("\"\\ud800\\ud800\"", .loneSurrogate, 1), ("\"\\ud800x\"", .loneSurrogate, 1),
        ("\"\\udc00\\ud800\"", .loneSurrogate, 1),
        (#"{"a":1,"b":2,"a":3}"#, .duplicateKey, 13), (#"{"a":1,"\u0061":3}"#, .duplicateKey, 7),
    ]

    @Test("refuses invalid texts and says where", arguments: bad)
    func invalid(text: String, kind: JSONError.Kind, offset: Int) {
        #expect(throws: JSONError(kind: kind, offset: offset)) { try JSONValue.parse(text) }
    }

    @Test(
        "refuses text that is not UTF-8",
        arguments: [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]]
    )
    func invalidUTF8(bytes: [UInt8]) {
        let quoted = [0x5B, 0x22, 0x61] + bytes + [0x22, 0x5D]
        #expect(throws: JSONError(kind: .invalidUTF8, offset: 1)) { try JSONValue.parse(quoted) }
        #expect(throws: JSONError.self) { try JSONValue.parse(bytes) }
    }

    @Test("nests as deep as the limit and no deeper")
    func depth() throws {
        let nested = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(throws: Never.self) { try JSONValue.parse(nested(64)) }
        #expect(throws: JSONError(kind: .tooDeep, offset: 64)) { try JSONValue.parse(nested(65)) }
        #expect(throws: JSONError(kind: .tooDeep, offset: 2)) {
            try JSONValue.parse("[[[]]]", limits: JSONLimits(depth: 2))
        }
        #expect(throws: JSONError.self) { try JSONValue.parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: Never.self) { try JSONValue.parse("[[],[],{\"a\":[]}]", limits: JSONLimits(depth: 3)) }
    }

    @Test("every truncation of a document is refused")
    func truncation() {
        let text = #"{"a":[1,-2.5e3,"x\u00e9\n",true,null],"b":{"c":""}}"#
        let bytes = Array(text.utf8)
        #expect(throws: Never.self) { try JSONValue.parse(bytes) }
        for length in 0..<bytes.count {
            #expect(throws: JSONError.self) { try JSONValue.parse(bytes[..<length]) }
        }
    }

    @Test("an object with very many keys costs linear time", .timeLimit(.minutes(10)))
    func manyKeys() throws {
        let text = "{" + (0..<100_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
        let value = try JSONValue.parse(text)
        #expect(value["k99999"] == 99_999)
        #expect(value.object?.count == 100_000)
    }

    @Test("numbers convert only without loss")
    func numbers() throws {
        #expect(try JSONValue.parse("1.0").integer == 1)
        #expect(try JSONValue.parse("1e3").integer == 1000)
        #expect(try JSONValue.parse("1.5").integer == nil)
        #expect(try JSONValue.parse("99999999999999999999").integer == nil)
        #expect(JSONValue.string("1").integer == nil)
        #expect(JSONValue.bool(true).integer == nil)
        #expect(JSONValue.integer(3).double == 3)
    }
}
