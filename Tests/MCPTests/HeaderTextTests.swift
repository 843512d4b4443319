import Testing

@testable import MCP

@Suite("Texts in header fields")
struct HeaderTextTests {
    /// The table "Encoding examples" of the specification, and our own edge cases.
    static let pairs = [
        ("us-west1", "us-west1"), ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="), ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
        ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="), ("a b", "a b"), ("", ""),
        ("=?base64?open", "=?base64?open"), ("=?BASE64?YQ==?=", "=?BASE64?YQ==?="),
        ("=?base64?=", "=?base64?="), ("tab\there", "=?base64?dGFiCWhlcmU=?="),
    ]

    @Test("are encoded as the specification shows and decoded again", arguments: pairs)
    func roundTrip(text: String, value: String) {
        #expect(HeaderText.encode(text) == value)
        #expect(HeaderText.decode(value) == text)
    }

    @Test(
        "that are marked but not canonical base64 of UTF-8 are refused",
        arguments: [
            "=?base64?YQ?=", "=?base64?YQ=?=", "=?base64?YR==?=", "=?base64?Y Q==?=", "=?base64?YQ==YQ==?=",
            "=?base64?_-8=?=", "=?base64?====?=", "=?base64?/w==?=", "=?base64?é===?=",
        ]
    )
    func invalid(value: String) {
        #expect(HeaderText.decode(value) == nil)
    }

    @Test("of every length survive base64")
    func lengths() {
        for length in 0..<40 {
            let bytes = (0..<length).map { UInt8(($0 * 37 + length) & 0xFF) }
            #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
        }
        #expect(Base64.encode(Array("foobar".utf8)) == "Zm9vYmFy")
    }
}
