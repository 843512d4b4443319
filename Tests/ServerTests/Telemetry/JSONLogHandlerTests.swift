import Logging
import MCP
import Synchronization
import Testing

@testable import Server

@Suite("Log lines in JSON")
struct JSONLogHandlerTests {
    @Test("a message is one line, whatever it says, with its metadata beside it")
    func line() throws {
        let lines = Mutex<[String]>([])
        let handler = JSONLogHandler { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
        var logger = Logger(label: "l") { _ in handler }
        logger[metadataKey: "always"] = "a"
        logger.warning(
            "two\nlines \"quoted\"",
            metadata: [
                "status": .stringConvertible(200), "list": ["x", "y"], "map": ["k": "v"], "message": "not this one",
            ]
        )
        logger.debug("not shown")
        let written = lines.withLock { $0 }
        #expect(written.count == 1)
        let line = try #require(written.first)
        #expect(!line.contains("\n"))
        let object = try JSONValue.parse(Array(line.utf8))
        #expect(object["level"]?.string == "warning")
        #expect(object["message"]?.string == "two\nlines \"quoted\"")
        #expect(object["always"]?.string == "a")
        #expect(object["status"] == .integer(200))
        #expect(object["list"] == ["x", "y"])
        #expect(object["map"] == ["k": "v"])
        let time = try #require(object["time"]?.string)
        #expect(try /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/.wholeMatch(in: time) != nil)
    }
}
