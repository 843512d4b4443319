import Foundation
import Registry
import Testing

@testable import Server

@Suite("Where the key ring comes from")
struct KeyRingSourceTests {
    private static let first = base64(1)
    private static let second = base64(2)

    private static func base64(_ byte: UInt8, count: Int = 32) -> String {
        Data(repeating: byte, count: count).base64EncodedString()
    }

    private static func configured(_ environment: [String: String]) async throws -> KeyRing? {
        try KeyRingSource.configured(try await .settings(environment))
    }

    @Test("a single key has the id 1; a ring says its ids itself; without either there is none")
    func forms() async throws {
        #expect(try await Self.configured([:]) == nil)
        let single = try await Self.configured(["REGISTRY_KEY": Self.first])
        #expect(single?.active == 1 && single?.ids == [1])
        let json = #" {"active":2,"keys":{"1":"\#(Self.first)","2":"\#(Self.second)"},"disabled":[1,9]} "#
        let ring = try await Self.configured(["REGISTRY_KEYRING": json])
        #expect(ring?.active == 2 && ring?.ids == [1, 2] && ring?.disabled == [1, 9])
    }

    @Test("a key and a ring at once are refused")
    func both() async throws {
        let message = "REGISTRY_KEYRING and REGISTRY_KEY are both set: use one"
        await #expect(throws: ConfigurationError(message: message)) {
            try await Self.configured(["REGISTRY_KEY": Self.first, "REGISTRY_KEYRING": "{}"])
        }
    }

    @Test(
        "a single key is 32 bytes in base64",
        arguments: [base64(1, count: 31), base64(1, count: 33), "not base64", "AAAA"]
    )
    func badKey(_ key: String) async throws {
        let message = "REGISTRY_KEY is not 32 bytes in base64; make one with: mcp-registry keys generate"
        await #expect(throws: ConfigurationError(message: message)) { try await Self.configured(["REGISTRY_KEY": key]) }
    }

    @Test(
        "a ring that breaks a rule is refused, and the rule is named",
        arguments: [
            ("{", "R is not valid JSON at byte 1"),
            ("[]", "R is not a JSON object"),
            (#"{"active":1,"keys":{},"extra":1}"#, "R may have the members active, keys and disabled only"),
            (#"{"keys":{"1":"\#(first)"}}"#, "R has no whole number from 1 to 4294967295 as 'active'"),
            (#"{"active":0,"keys":{"1":"\#(first)"}}"#, "R has no whole number from 1 to 4294967295 as 'active'"),
            (#"{"active":"1","keys":{"1":"\#(first)"}}"#, "R has no whole number from 1 to 4294967295 as 'active'"),
            (
                #"{"active":4294967296,"keys":{"1":"\#(first)"}}"#,
                "R has no whole number from 1 to 4294967295 as 'active'"
            ),
            (#"{"active":1}"#, "R: the key ring has no keys"),
            (#"{"active":1,"keys":{}}"#, "R: the key ring has no keys"),
            (#"{"active":1,"keys":[]}"#, "R: the key ring has no keys"),
            (#"{"active":1,"keys":{"01":"\#(first)"}}"#, "R has the key id '01', which is no whole number"),
            (#"{"active":1,"keys":{"x":"\#(first)"}}"#, "R has the key id 'x', which is no whole number"),
            (#"{"active":1,"keys":{"0":"\#(first)"}}"#, "R: key id 0 is not allowed; ids start at 1"),
            (#"{"active":1,"keys":{"1":"%"}}"#, "R: key 1 is not base64"),
            (#"{"active":1,"keys":{"1":5}}"#, "R: key 1 is not base64"),
            (#"{"active":1,"keys":{"1":"AAAA"}}"#, "R: key 1 has 3 bytes; a key is 32 random bytes"),
            (
                #"{"active":1,"keys":{"1":"\#(first)","2":"\#(first)"}}"#,
                "R: keys 1 and 2 are the same key; every id needs its own"
            ),
            (#"{"active":2,"keys":{"1":"\#(first)"}}"#, "R: the active key 2 is not among the keys"),
            (#"{"active":1,"keys":{"1":"\#(first)"},"disabled":[1]}"#, "R: the active key 1 is disabled"),
            (#"{"active":1,"keys":{"1":"\#(first)"},"disabled":["2"]}"#, "R: 'disabled' holds no key id"),
            (#"{"active":1,"keys":{"1":"\#(first)"},"disabled":5}"#, "R: 'disabled' is no list"),
            (#"{"active":1,"keys":{"1":"\#(first)","1":"\#(second)"}}"#, "R is not valid JSON at byte 71"),
        ]
    )
    func badRing(_ json: String, _ message: String) async throws {
        let error = #expect(throws: ConfigurationError.self) { try KeyRingSource.parse(json, key: "R") }
        #expect(error?.message == message)
    }

    @Test("a development ring is made once, for its owner's eyes only")
    func development() async throws {
        try await TemporaryFolder.with { folder in
            let made = try KeyRingSource.development(in: folder.path)
            #expect(try folder.entries() == [".dev-keyring.json"])
            #expect(try folder.mode(".dev-keyring.json") == 0o600)
            #expect(made.hasDevelopmentKeys && made.ids == [4_000_000_000])
            let text = try folder.text(".dev-keyring.json")
            let again = try KeyRingSource.development(in: folder.path)
            #expect(again.checkValue(again.active) == made.checkValue(made.active))
            #expect(try folder.text(".dev-keyring.json") == text)
        }
    }

    @Test("a development ring that can't be made or read is refused")
    func badDevelopment() async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path + "/none/.dev-keyring.json"
            #expect(throws: ConfigurationError(message: "the development key ring \(path) can't be written")) {
                try KeyRingSource.development(in: folder.path + "/none")
            }
            let file = try folder.write(".dev-keyring.json", "")
            #expect(throws: ConfigurationError(message: "\(file) is not valid JSON at byte 0")) {
                try KeyRingSource.development(in: folder.path)
            }
        }
    }
}
