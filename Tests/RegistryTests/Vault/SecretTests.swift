import Testing

@testable import Registry

@Suite("A secret")
struct SecretTests {
    static let canary = "canary-5d1e"

    struct Holder {
        let name = "holder"
        let secret = Secret(canary)
        let list = [Secret(canary)]
        let optional: Secret? = Secret(canary)
        let byName = ["a": Secret(canary)]
    }

    enum Failure: Error {
        case token(Secret)
    }

    @Test("gives back its bytes and text")
    func reveals() {
        let secret = Secret(Self.canary)
        #expect(secret.revealText() == Self.canary)
        #expect(secret.revealBytes() == Array(Self.canary.utf8))
        #expect(unsafe secret.withUnsafeBytes { unsafe Array($0) } == Array(Self.canary.utf8))
        #expect(secret.count == 11)
    }

    @Test("can be empty, hold NUL and every plane of Unicode", arguments: ["", "a\0b", "é漢🔑\u{10ffff}"])
    func texts(text: String) {
        #expect(Secret(text).revealText() == text)
        #expect(Secret(text).count == text.utf8.count)
    }

    @Test("that is not UTF-8 has no text, and keeps its bytes", arguments: [[0xff], [0xc3], [0x61, 0xed, 0xa0, 0x80]])
    func notText(bytes: [UInt8]) {
        #expect(Secret(bytes).revealText() == nil)
        #expect(Secret(bytes).revealBytes() == bytes)
    }

    @Test("is equal by bytes, whatever the lengths")
    func equality() {
        #expect(Secret("abc") == Secret([0x61, 0x62, 0x63]))
        #expect(Secret("") == Secret([]))
        #expect(Secret("abc") != Secret("abd"))
        #expect(Secret("abc") != Secret("ab"))
        #expect(Secret("abc") != Secret(""))
        #expect(Secret("\u{e9}") != Secret("e\u{301}"))
    }

    @Test("shows as <redacted> in every text Swift can make of it")
    func redacted() {
        let secret = Secret(Self.canary)
        #expect(secret.description == "<redacted>")
        #expect(secret.debugDescription == "<redacted>")
        #expect("\(secret)" == "<redacted>")
        #expect(String(describing: secret) == "<redacted>")
        #expect(String(reflecting: secret) == "<redacted>")
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }

    @Test("shows as <redacted> inside other values too")
    func redactedInside() {
        let holder = Holder()
        let failure = Failure.token(Secret(Self.canary))
        var shown = "\(holder) \(String(reflecting: holder)) \(failure) \(String(reflecting: failure)) "
        print(holder, holder.optional as Any, to: &shown)
        debugPrint(holder, holder.list, holder.byName, to: &shown)
        dump(holder, to: &shown)
        dump(failure, to: &shown)
        #expect(shown.contains("<redacted>"))
        #expect(!shown.contains(Self.canary))
        // Neither as a list of byte values.
        #expect(!shown.contains("99, 97, 110"))
    }

    @Test("passes on what the borrower throws")
    func passesErrorsOn() {
        #expect(throws: Failure.self) {
            try unsafe Secret("x").withUnsafeBytes { _ in throw Failure.token(Secret("y")) }
        }
    }
}
