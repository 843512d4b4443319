import Testing

@testable import MCP

@Suite("JSON writer and values")
struct JSONWriterTests {
    @Test(
        "writes compactly, in order, and what it writes reads back alike",
        arguments: [
            #"{"b":1,"a":[true,false,null,"x"],"":{}}"#, #"["é😀","\"\\\b\f\n\r\t\u0000\u001f/"]"#, "[]",
            "[-9223372036854775808,1.5,1e+100,0.1]", "\"\u{2028}\u{7F}\"",
        ]
    )
    func roundTrip(text: String) throws {
        let value = try JSONValue.parse(text)
        #expect(value.text == text)
        #expect(try JSONValue.parse(value.serialized()) == value)
    }

    @Test("canonical text sorts by UTF-16 units at every depth")
    func canonicalOrder() throws {
        let value = try JSONValue.parse(#"{"😀":1,"ﬃ":2,"b":{"d":1,"c":[{"z":0,"y":0}]},"a":3,"é":4,"":5}"#)
        #expect(value.canonical() == #"{"":5,"a":3,"b":{"c":[{"y":0,"z":0}],"d":1},"é":4,"😀":1,"ﬃ":2}"#)
    }

    /// Samples of RFC 8785 appendix B and ECMA-262.
    static let numbers: [(Double, String)] = [
        (0, "0"), (-0.0, "0"), (1, "1"), (-1.5, "-1.5"), (100, "100"), (0.1, "0.1"), (0.002, "0.002"),
        (1e-6, "0.000001"), (1e-7, "1e-7"), (1.5e-7, "1.5e-7"), (1e16, "10000000000000000"),
        (1e20, "100000000000000000000"), (1e21, "1e+21"), (1e23, "1e+23"), (.leastNonzeroMagnitude, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"), (9007199254740992, "9007199254740992"),
        (295_147_905_179_352_825_856, "295147905179352830000"), (9.999999999999997e22, "9.999999999999997e+22"),
        (333333333.3333332, "333333333.3333332"), (123.456, "123.456"), (1424953923781206.2, "1424953923781206.2"),
    ]

    @Test("canonical numbers have ECMAScript's form", arguments: numbers)
    func canonicalNumber(number: Double, text: String) {
        #expect(JSONValue.double(number).canonical() == text)
    }

    @Test("canonical integers keep all their digits")
    func canonicalInteger() {
        #expect(JSONValue.integer(.max).canonical() == "9223372036854775807")
    }

    @Test("equal content in another order has the same canonical text")
    func canonicalEquality() throws {
        let one = try JSONValue.parse(#"{"a":1,"b":[{"c":2,"d":"\u00e9"}]}"#)
        let other = try JSONValue.parse(#" { "b" : [ { "d" : "é" , "c" : 2 } ] , "a" : 1 } "#)
        #expect(one.canonical() == other.canonical())
    }

    @Test("a double that is not finite becomes null")
    func notFinite() {
        #expect(JSONValue.array([.double(.infinity), .double(.nan)]).text == "[null,null]")
    }

    @Test("an object keeps its order through changes, small and large", arguments: [3, 40])
    func order(count: Int) {
        var object = JSONObject((0..<count).map { ("k\($0)", .integer(Int64($0))) })
        object["k1"] = "changed"
        object["k0"] = nil
        object["new"] = 1
        #expect(object.keys == (1..<count).map { "k\($0)" } + ["new"])
        #expect(object["k1"] == "changed")
        #expect(object["k0"] == nil)
        #expect(object["k\(count - 1)"] == .integer(Int64(count - 1)))
        #expect(object.count == count)
    }

    @Test("access to what is not there is nil")
    func access() {
        let value: JSONValue = ["list": [1, "two"], "flag": true]
        #expect(value["list"]?[1]?.string == "two")
        #expect(value["list"]?[2] == nil)
        #expect(value["list"]?[-1] == nil)
        #expect(value["flag"]?.bool == true)
        #expect(value["flag"]?["x"] == nil)
        #expect(value["none"] == nil)
        #expect(JSONValue.null.isNull)
    }
}
