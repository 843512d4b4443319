import Testing

@testable import Registry

@Suite("The key ring")
struct KeyRingTests {
    @Test("keeps its ids, the active and the disabled ones")
    func accepted() throws {
        let ring = try KeyRing(
            active: 3,
            keys: [3: VaultFixture.key(3), 2: VaultFixture.key(2), 9: VaultFixture.key(9)],
            disabled: [1, 2]
        )
        #expect(ring.active == 3)
        #expect(ring.ids == [2, 3, 9])
        #expect(ring.disabled == [1, 2])
        #expect("\(ring)" == "<key ring: active 3, keys 2 3 9, disabled 1 2>")
    }

    @Test("of one key has the id 1")
    func single() throws {
        let ring = try KeyRing.single(VaultFixture.key(5))
        #expect(ring.active == 1)
        #expect(ring.ids == [1])
        #expect("\(ring)" == "<key ring: active 1, keys 1, disabled none>")
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let active: UInt32
        let keys: [UInt32: [UInt8]]
        var disabled: Set<UInt32> = []
        let error: KeyRingError
        let message: String
        var testDescription: String { message }
    }

    @Test(
        "is refused, with one line that says why",
        arguments: [
            Refusal(active: 1, keys: [:], error: .empty, message: "the key ring has no keys"),
            Refusal(
                active: 1,
                keys: [0: VaultFixture.key(1), 1: VaultFixture.key(2)],
                error: .zeroID,
                message: "key id 0 is not allowed; ids start at 1"
            ),
            Refusal(
                active: 0,
                keys: [1: VaultFixture.key(1)],
                error: .zeroID,
                message: "key id 0 is not allowed; ids start at 1"
            ),
            Refusal(
                active: 1,
                keys: [1: VaultFixture.key(1)],
                disabled: [0],
                error: .zeroID,
                message: "key id 0 is not allowed; ids start at 1"
            ),
            Refusal(
                active: 1,
                keys: [1: VaultFixture.key(1), 2: VaultFixture.key(1).dropLast()],
                error: .wrongLength(id: 2, byteCount: 31),
                message: "key 2 has 31 bytes; a key is 32 random bytes"
            ),
            Refusal(
                active: 1,
                keys: [1: VaultFixture.key(1) + [0]],
                error: .wrongLength(id: 1, byteCount: 33),
                message: "key 1 has 33 bytes; a key is 32 random bytes"
            ),
            Refusal(
                active: 1,
                keys: [1: []],
                error: .wrongLength(id: 1, byteCount: 0),
                message: "key 1 has 0 bytes; a key is 32 random bytes"
            ),
            Refusal(
                active: 2,
                keys: [2: VaultFixture.key(2), 5: VaultFixture.key(1), 7: VaultFixture.key(1)],
                disabled: [5],
                error: .duplicateMaterial(id: 7, sameAs: 5),
                message: "keys 5 and 7 are the same key; every id needs its own"
            ),
            Refusal(
                active: 4,
                keys: [3: VaultFixture.key(3)],
                error: .activeAbsent(id: 4),
                message: "the active key 4 is not among the keys"
            ),
            Refusal(
                active: 3,
                keys: [3: VaultFixture.key(3)],
                disabled: [3],
                error: .activeDisabled(id: 3),
                message: "the active key 3 is disabled"
            ),
        ]
    )
    func refused(refusal: Refusal) throws {
        #expect(throws: refusal.error) {
            try KeyRing(active: refusal.active, keys: refusal.keys, disabled: refusal.disabled)
        }
        #expect("\(refusal.error)" == refusal.message)
    }

    @Test("of one key refuses any other length", arguments: [0, 16, 31, 33, 64])
    func singleLength(byteCount: Int) throws {
        #expect(throws: KeyRingError.wrongLength(id: 1, byteCount: byteCount)) {
            try KeyRing.single([UInt8](repeating: 1, count: byteCount))
        }
    }

    @Test(
        "knows development keys by their ids",
        arguments: [(1, false), (3_999_999_999, false), (4_000_000_000, true), (UInt32.max, true)]
    )
    func development(id: UInt32, expected: Bool) throws {
        #expect(try KeyRing(active: id, keys: [id: VaultFixture.key(1)]).hasDevelopmentKeys == expected)
        #expect(
            try KeyRing(active: 1, keys: [1: VaultFixture.key(1)], disabled: [id == 1 ? 2 : id]).hasDevelopmentKeys
                == false
        )
    }

    @Test("makes keys of 32 bytes, each unlike the others")
    func generated() {
        let keys = Set((0..<1000).map { _ in KeyRing.generateKey() })
        #expect(keys.count == 1000)
        #expect(keys.allSatisfy { $0.count == 32 })
    }

    @Test("has a check value for each key that depends on the key only")
    func checkValue() throws {
        let ring = try KeyRing(active: 1, keys: [1: Array(0..<32), 2: VaultFixture.key(2)], disabled: [2])
        // Made with Python's hmac module from RFC 5869.
        #expect(ring.checkValue(1).map { VaultFixture.hex($0) } == "b8b442abe7e79c4dcf3baed4d1a5c0ac")
        #expect(ring.checkValue(2)?.count == 16)
        #expect(ring.checkValue(2) != ring.checkValue(1))
        #expect(ring.checkValue(3) == nil)
        #expect(try KeyRing(active: 8, keys: [8: VaultFixture.key(2)]).checkValue(8) == ring.checkValue(2))
    }

    @Test("shows no byte of a key in any text")
    func redacted() throws {
        let ring = try KeyRing.single([UInt8](repeating: 0xc5, count: 32))
        var shown = "\(ring) \(String(reflecting: ring)) \([ring]) \(Optional(ring) as Any) "
        dump(ring, to: &shown)
        #expect(!shown.lowercased().contains("c5c5"))
        #expect(!shown.contains("197"))
        #expect(Mirror(reflecting: ring).children.isEmpty)
    }
}
