import Testing

@testable import Registry

@Suite("The token envelope")
struct TokenEnvelopeTests {
    let smallest: [UInt8] = [1, 1, 0, 0, 0, 7] + [UInt8](repeating: 9, count: 72)

    @Test("is written as it was read, part by part")
    func roundTrip() throws {
        let bytes: [UInt8] = [1, 1, 0xff, 0xfe, 0xfd, 0xfc] + (0..<100)
        let envelope = try TokenEnvelope(parsing: bytes)
        #expect(envelope.keyID == 0xfffe_fdfc)
        #expect(envelope.header.salt == Array(0..<24))
        #expect(envelope.commitment == Array(24..<56))
        #expect(envelope.ciphertext == Array(56..<84))
        #expect(envelope.tag == Array(84..<100))
        #expect(envelope.bytes == bytes)
    }

    @Test("is at least 78 bytes long")
    func truncated() throws {
        #expect(try TokenEnvelope(parsing: smallest).ciphertext.isEmpty)
        for count in 0..<smallest.count {
            #expect(throws: TokenEnvelopeError.truncated(byteCount: count)) {
                try TokenEnvelope(parsing: Array(smallest.prefix(count)))
            }
        }
    }

    @Test("is at most 64 KiB long")
    func tooLong() throws {
        let largest = smallest + [UInt8](repeating: 0, count: 65_536 - 78)
        #expect(try TokenEnvelope(parsing: largest).ciphertext.count == 65_536 - 78)
        #expect(throws: TokenEnvelopeError.tooLong(byteCount: 65_537)) { try TokenEnvelope(parsing: largest + [0]) }
    }

    @Test("of any other version is refused, whatever its length", arguments: UInt8.min...UInt8.max)
    func version(version: UInt8) throws {
        guard version != 1 else { return }
        #expect(throws: TokenEnvelopeError.unknownVersion(version)) {
            try TokenEnvelope(parsing: [version] + smallest.dropFirst())
        }
        #expect(throws: TokenEnvelopeError.unknownVersion(version)) { try TokenEnvelope(parsing: [version, 1]) }
    }

    @Test("of any other suite is refused, the reserved one too", arguments: UInt8.min...UInt8.max)
    func suite(suite: UInt8) throws {
        guard suite != 1 else { return }
        #expect(throws: TokenEnvelopeError.unknownSuite(suite)) {
            try TokenEnvelope(parsing: [1, suite] + smallest.dropFirst(2))
        }
    }

    @Test("with key id 0 is refused")
    func zeroKeyID() throws {
        var bytes = smallest
        bytes[5] = 0
        #expect(throws: TokenEnvelopeError.zeroKeyID) { try TokenEnvelope(parsing: bytes) }
    }

    @Test("is never taken for plain text", arguments: ["", "ghp_plainTextToken", "{\"token\":\"x\"}", "v1:abc"])
    func plainText(text: String) throws {
        #expect(throws: TokenEnvelopeError.self) { try TokenEnvelope(parsing: Array(text.utf8)) }
    }
}
