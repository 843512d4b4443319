import Crypto
import Testing

@testable import Registry

@Suite("Vectors made by other implementations")
struct TokenVectorTests {
    @Test("an envelope with a fixed salt is the vector's, byte for byte", arguments: try TokenVector.load())
    func seals(vector: TokenVector) throws {
        let sealed = try vector.vault().seal(Secret(vector.plaintextBytes()), context: vector.context)
        #expect(sealed.keyID == vector.keyId)
        #expect(VaultFixture.hex(SHA256.hash(data: sealed.bytes)) == vector.sha256)

        // The file leaves out the middle of the long envelope.
        let text = VaultFixture.hex(sealed.bytes)
        let parts = vector.envelope.replacing("…", with: "...").split(separator: "...")
        #expect(parts.count == 1 ? text == vector.envelope : text.hasPrefix(parts[0]) && text.hasSuffix(parts[1]))
    }

    @Test("the vector's envelope opens to its plain text", arguments: try TokenVector.load())
    func opens(vector: TokenVector) throws {
        let plaintext = try vector.plaintextBytes()
        let vault = try vector.vault()
        let envelope =
            vector.envelope.contains("...")
            ? try vault.seal(Secret(plaintext), context: vector.context).bytes
            : try VaultFixture.bytes(hex: vector.envelope)
        #expect(try vault.open(envelope, context: vector.context).revealBytes() == plaintext)
    }

    @Test("there are four vectors")
    func count() throws {
        #expect(try TokenVector.load().count == 4)
    }

    /// RFC 5869, appendix A: input key, salt, info, length, output.
    static let hkdf: [(key: String, salt: String, info: String, output: String)] = [
        (
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        ),
        (
            VaultFixture.hex(0x00...0x4f), VaultFixture.hex(0x60...0xaf), VaultFixture.hex(0xb0...0xff),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                + "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
        (
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        ),
    ]

    @Test("HKDF-SHA256 gives the outputs of RFC 5869, A.1 to A.3", arguments: 0..<3)
    func keyDerivation(index: Int) throws {
        let vector = Self.hkdf[index]
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: try VaultFixture.bytes(hex: vector.key)),
            salt: try VaultFixture.bytes(hex: vector.salt),
            info: try VaultFixture.bytes(hex: vector.info),
            outputByteCount: vector.output.count / 2
        )
        #expect(unsafe key.withUnsafeBytes { unsafe VaultFixture.hex($0) } == vector.output)
    }
}
