import Testing

@testable import Registry

@Suite("The token vault")
struct TokenVaultTests {
    static let context = TokenContext(purpose: "user-token", serviceID: "s-1", userID: "bob", field: "access_token")
    static let plaintext = "token-abc"

    let vault: TokenVault
    let sealed: SealedToken

    init() throws {
        vault = TokenVault(ring: try KeyRing(active: 3, keys: [2: VaultFixture.key(2), 3: VaultFixture.key(3)]))
        sealed = try vault.seal(Secret(Self.plaintext), context: Self.context)
    }

    @Test("opens what it sealed, up to the largest envelope", arguments: [0, 1, 15, 16, 17, 16_384, 65_458])
    func roundTrip(byteCount: Int) throws {
        let plaintext = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0) }
        let sealed = try vault.seal(Secret(plaintext), context: Self.context)
        #expect(sealed.keyID == 3)
        #expect(sealed.bytes.count == byteCount + 78)
        #expect(try vault.open(sealed, context: Self.context).revealBytes() == plaintext)
        #expect(try vault.open(sealed.bytes, context: Self.context).revealBytes() == plaintext)
    }

    @Test("what was opened before is opened again only while the ring in use allows it")
    func otherRing() throws {
        for _ in 0..<2 { #expect(try vault.open(sealed, context: Self.context).revealText() == Self.plaintext) }
        vault.use(try KeyRing(active: 2, keys: [2: VaultFixture.key(2), 3: VaultFixture.key(3)], disabled: [3]))
        #expect(throws: VaultError.keyDisabled(3)) { try vault.open(sealed, context: Self.context) }
        vault.use(try KeyRing(active: 2, keys: [2: VaultFixture.key(2)]))
        #expect(throws: VaultError.keyUnavailable(3)) { try vault.open(sealed, context: Self.context) }
        vault.use(try KeyRing(active: 3, keys: [3: VaultFixture.key(4)]))
        #expect(throws: VaultError.wrongKey(3)) { try vault.open(sealed, context: Self.context) }
        vault.use(try KeyRing(active: 3, keys: [3: VaultFixture.key(3)]))
        #expect(try vault.open(sealed, context: Self.context).revealText() == Self.plaintext)
    }

    @Test("refuses a plain text whose envelope would be longer than 64 KiB")
    func tooLong() throws {
        let plaintext = Secret([UInt8](repeating: 1, count: 65_459))
        #expect(throws: VaultError.malformed(.tooLong(byteCount: 65_537))) {
            try vault.seal(plaintext, context: Self.context)
        }
    }

    @Test("refuses an envelope with any one bit flipped, and says what is wrong with it")
    func everyBitFlip() throws {
        for index in sealed.bytes.indices {
            for bit in 0..<8 {
                var bytes = sealed.bytes
                bytes[index] ^= 1 << bit
                let error = #expect(throws: VaultError.self, "byte \(index), bit \(bit)") {
                    try vault.open(bytes, context: Self.context)
                }
                let expected: VaultError =
                    switch index {
                    case 0: .malformed(.unknownVersion(bytes[0]))
                    case 1: .malformed(.unknownSuite(bytes[1]))
                    case 2..<6:
                        // 3 with its lowest bit flipped is 2, the other key of the ring.
                        index == 5 && bit == 0 ? .wrongKey(2) : .keyUnavailable(3 ^ (1 << ((5 - index) * 8 + bit)))
                    case 6..<62: .wrongKey(3)
                    default: .tampered(3)
                    }
                #expect(error == expected, "byte \(index), bit \(bit)")
            }
        }
    }

    @Test("refuses an envelope cut to any shorter length, at either end")
    func everyTruncation() throws {
        for count in 0..<sealed.bytes.count {
            let error = #expect(throws: VaultError.self, "first \(count) bytes") {
                try vault.open(Array(sealed.bytes.prefix(count)), context: Self.context)
            }
            #expect(error == (count < 78 ? .malformed(.truncated(byteCount: count)) : .tampered(3)))
            #expect(throws: VaultError.self, "last \(count) bytes") {
                try vault.open(Array(sealed.bytes.suffix(count)), context: Self.context)
            }
        }
    }

    @Test("refuses an envelope with bytes added", arguments: [1, 16, 64])
    func extended(count: Int) throws {
        #expect(throws: VaultError.tampered(3)) {
            try vault.open(sealed.bytes + [UInt8](repeating: 0, count: count), context: Self.context)
        }
    }

    @Test("refuses every context that differs in one bit of one field")
    func everyContextBit() throws {
        for field in [\TokenContext.purpose, \.serviceID, \.userID, \.field] {
            let original = Array(Self.context[keyPath: field].utf8)
            // The eighth bit of an ASCII byte would not be UTF-8 any more, so no context can hold it.
            for (position, bit) in original.indices.flatMap({ position in (0..<7).map { (position, $0) } }) {
                var bytes = original
                bytes[position] ^= 1 << bit
                var context = Self.context
                context[keyPath: field] = try #require(String(validating: bytes, as: UTF8.self))
                #expect(throws: VaultError.tampered(3)) { try vault.open(sealed, context: context) }
            }
        }
    }

    @Test(
        "refuses a token moved to another purpose, service, user or field",
        arguments: [
            TokenContext(purpose: "service-header", serviceID: "s-1", userID: "bob", field: "access_token"),
            TokenContext(purpose: "user-token", serviceID: "s-2", userID: "bob", field: "access_token"),
            TokenContext(purpose: "user-token", serviceID: "s-1", userID: "bob ", field: "access_token"),
            TokenContext(purpose: "user-token", serviceID: "s-1", userID: "Bob", field: "access_token"),
            TokenContext(purpose: "user-token", serviceID: "s-1", userID: "", field: "access_token"),
            TokenContext(purpose: "user-token", serviceID: "s-1", userID: "bob", field: "refresh_token"),
            TokenContext(purpose: "user-token", serviceID: "bob", userID: "s-1", field: "access_token"),
        ]
    )
    func moved(context: TokenContext) throws {
        #expect(throws: VaultError.tampered(3)) { try vault.open(sealed, context: context) }
    }

    @Test("keeps the fields of a context apart: (ab, c) is not (a, bc)")
    func fieldBorders() throws {
        let one = TokenContext(purpose: "user-token", serviceID: "ab", userID: "c", field: "f")
        let other = TokenContext(purpose: "user-token", serviceID: "a", userID: "bc", field: "f")
        let sealed = try vault.seal(Secret("x"), context: one)
        #expect(throws: VaultError.tampered(3)) { try vault.open(sealed, context: other) }
    }

    @Test("compares contexts by bytes: one letter in two Unicode forms is two contexts")
    func unicodeForms() throws {
        var composed = Self.context
        composed.userID = "\u{e9}"
        var decomposed = Self.context
        decomposed.userID = "e\u{301}"
        let sealed = try vault.seal(Secret("x"), context: composed)
        #expect(throws: VaultError.tampered(3)) { try vault.open(sealed, context: decomposed) }
    }

    @Test("a ring without the key says so")
    func missingKey() throws {
        let other = TokenVault(ring: try KeyRing(active: 2, keys: [2: VaultFixture.key(2)]))
        #expect(throws: VaultError.keyUnavailable(3)) { try other.open(sealed, context: Self.context) }
    }

    @Test("a ring with another key under the same id is told from tampering")
    func otherMaterial() throws {
        let other = TokenVault(ring: try KeyRing(active: 3, keys: [3: VaultFixture.key(9)]))
        #expect(throws: VaultError.wrongKey(3)) { try other.open(sealed, context: Self.context) }
    }

    @Test("a disabled key opens nothing, with or without its material", arguments: [[2: 2, 3: 3], [2: 2]])
    func disabledKey(keys: [UInt32: UInt8]) throws {
        let ring = try KeyRing(active: 2, keys: keys.mapValues(VaultFixture.key), disabled: [3])
        #expect(throws: VaultError.keyDisabled(3)) {
            try TokenVault(ring: ring).open(sealed, context: Self.context)
        }
    }

    @Test("a key that is no longer active still opens its tokens")
    func olderKey() throws {
        let newer = TokenVault(ring: try KeyRing(active: 4, keys: [3: VaultFixture.key(3), 4: VaultFixture.key(4)]))
        #expect(try newer.open(sealed, context: Self.context).revealText() == Self.plaintext)
        #expect(try newer.seal(Secret("x"), context: Self.context).keyID == 4)
    }

    @Test("a key id column that differs from the envelope is refused")
    func keyIDColumn() throws {
        #expect(throws: VaultError.malformed(.keyIDMismatch(stored: 2, envelope: 3))) {
            try vault.open(SealedToken(keyID: 2, bytes: sealed.bytes), context: Self.context)
        }
    }

    @Test("sealing one token twice gives two unlike envelopes")
    func notDeterministic() throws {
        let again = try vault.seal(Secret(Self.plaintext), context: Self.context)
        #expect(again.bytes[6..<30] != sealed.bytes[6..<30])
        #expect(again.bytes[62...] != sealed.bytes[62...])
    }

    @Test("100,000 salts have 24 bytes each and no repetition")
    func salts() {
        let salts = Set((0..<100_000).map { _ in TokenVault.randomSalt() })
        #expect(salts.count == 100_000)
        #expect(salts.allSatisfy { $0.count == 24 })
    }

    @Test("plain text, tokens and keys show in no envelope, error or dump")
    func nothingShows() throws {
        let canary = "canary-7f3a"
        let sealed = try vault.seal(Secret(canary), context: Self.context)
        #expect(!sealed.bytes.contains(Array(canary.utf8)))

        var shown = "\(vault) \(String(reflecting: vault)) "
        dump(vault, to: &shown)
        let errors: [VaultError] = [
            .keyUnavailable(3), .keyDisabled(3), .wrongKey(3), .tampered(3), .sealingFailed(3),
            .malformed(.unknownVersion(2)), .malformed(.unknownSuite(2)), .malformed(.zeroKeyID),
            .malformed(.truncated(byteCount: 3)), .malformed(.tooLong(byteCount: 70_000)),
            .malformed(.keyIDMismatch(stored: 2, envelope: 3)),
        ]
        for error in errors {
            let line = "\(error)"
            #expect(!line.isEmpty && !line.contains("\n"))
            shown += line
        }
        #expect(!shown.contains(canary))
        #expect(!shown.contains(VaultFixture.hex(VaultFixture.key(3)).prefix(8)))
        #expect(!shown.contains("\(VaultFixture.key(3))".dropFirst().prefix(12)))
    }
}
