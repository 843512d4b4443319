import Testing

@testable import MCP

@Suite("Server-sent events")
struct ServerSentEventTests {
    private static let mixed =
        "\u{FEFF}: hello\r\nevent: message\r\ndata: {\"a\":1}\r\n\r\n"
        + "id: 7\nretry: 3000\ndata:\n\n"
        + "data: one\rdata:two\rdata\rid: 8\r\r"
        + "event: endpoint\ndata: /m?x=é\nunknown: y\nnocolon\n\n"
        + ": only a comment\n\n"
        + "event: empty\n\n"
        + "data:  two blanks\n\n"
        + "data: cut off"

    private static let expected = [
        ServerSentEvent(data: Array("{\"a\":1}".utf8)),
        ServerSentEvent(data: [], id: "7"),
        ServerSentEvent(data: Array("one\ntwo\n".utf8), id: "8"),
        ServerSentEvent(type: "endpoint", data: Array("/m?x=é".utf8)),
        ServerSentEvent(data: Array(" two blanks".utf8)),
    ]

    @Test("reads every kind of line")
    func whole() throws {
        var parser = ServerSentEventParser()
        #expect(try parser.append(Self.mixed.utf8) == Self.expected)
    }

    @Test("the cut between chunks never matters", arguments: 0...Self.mixed.utf8.count)
    func split(at position: Int) throws {
        let bytes = Array(Self.mixed.utf8)
        var parser = ServerSentEventParser()
        let events = try parser.append(bytes[..<position]) + parser.append(bytes[position...])
        #expect(events == Self.expected)
    }

    @Test("single bytes are enough")
    func singleBytes() throws {
        var parser = ServerSentEventParser()
        var events: [ServerSentEvent] = []
        for byte in Self.mixed.utf8 { events += try parser.append([byte]) }
        #expect(events == Self.expected)
    }

    @Test("an event may be as large as the limit and no larger")
    func limit() throws {
        var exact = ServerSentEventParser(limit: 10)
        #expect(try exact.append("data: 1234\n\n".utf8).count == 1)
        #expect(try exact.append("data: 1234\n\n".utf8).count == 1)
        var line = ServerSentEventParser(limit: 10)
        #expect(throws: ServerSentEventTooLarge.self) { try line.append("data: 12345".utf8) }
        var comment = ServerSentEventParser(limit: 10)
        #expect(throws: ServerSentEventTooLarge.self) { try comment.append(": 123456789".utf8) }
        var lines = ServerSentEventParser(limit: 10)
        #expect(throws: ServerSentEventTooLarge.self) { try lines.append("data:12345\ndata:12345\n".utf8) }
        #expect(throws: ServerSentEventTooLarge.self) {
            var parser = ServerSentEventParser()
            while true { _ = try parser.append([UInt8](repeating: 0x61, count: 65536)) }
        }
    }

    @Test("an event of very many lines costs linear time", .timeLimit(.minutes(10)))
    func manyLines() throws {
        var parser = ServerSentEventParser()
        let text = String(repeating: "data\n", count: 500_000) + "\n"
        #expect(try parser.append(text.utf8).first?.data.count == 499_999)
    }

    @Test("what is framed is read back")
    func framing() throws {
        let event = ServerSentEvent(data: Array("{\"a\":\"é\"}".utf8), id: "1")
        #expect(
            String(decoding: event.framed, as: UTF8.self) == "event: message\r\nid: 1\r\ndata: {\"a\":\"é\"}\r\n\r\n"
        )
        let lines = ServerSentEvent(type: "x", data: Array("a\n\nb".utf8))
        var parser = ServerSentEventParser()
        #expect(try parser.append(event.framed + lines.framed) == [event, lines])
    }
}
