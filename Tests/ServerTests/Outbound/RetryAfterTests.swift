import Foundation
import Testing

@testable import Server

@Suite("Being told when to come again")
struct RetryAfterTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
    private static let now = Date(timeIntervalSince1970: 784_111_777)

    @Test(
        "seconds and IMF-fixdates are understood, other words are not",
        arguments: [
            ("0", 0), ("30", 30), ("-1", -1), ("Sun, 06 Nov 1994 08:49:57 GMT", 20),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 0), ("Sat, 05 Nov 1994 08:49:37 GMT", 0),
            ("Mon, 07 Nov 1994 08:49:37 GMT", 86_400), ("soon", nil), ("", nil), ("1.5", nil),
            ("Sun, 06 Nov 1994 08:49:57 CET", nil), ("1994-11-06T08:49:57Z", nil),
        ] as [(String, Int?)]
    )
    func values(value: String, seconds: Int?) {
        #expect(RetryAfter.wait(value, now: Self.now) == seconds.map { .seconds($0) })
    }
}
