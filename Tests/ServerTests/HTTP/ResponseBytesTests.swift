import HTTPTypes
import NIOCore
import Testing

@testable import Server

@Suite("What is sent of an answer")
struct ResponseBytesTests {
    private func text(_ response: ServerResponse, isLast: Bool = false) -> String {
        String(buffer: response.bytes(isLast: isLast, ByteBufferAllocator()).0)
    }

    @Test("head and content come together, with the time and the server's name")
    func whole() throws {
        let response = ServerResponse(
            status: .ok,
            headers: [.contentType: "text/plain"],
            body: ByteBuffer(string: "x")
        )
        var lines = text(response).split(separator: "\r\n", omittingEmptySubsequences: false)
        try #require(lines.count == 7)
        let date = lines.remove(at: 3)
        #expect(date.wholeMatch(of: /Date: .+ GMT/) != nil)
        let head = ["HTTP/1.1 200 OK", "Content-Type: text/plain", "Content-Length: 1", "Server: mcp-registry"]
        #expect(lines.map(String.init) == head + ["", "x"])
        #expect(response.bytes(isLast: false, ByteBufferAllocator()).long == nil)
    }

    @Test("long content is sent as it is, after the head")
    func long() {
        let body = ByteBuffer(repeating: 7, count: 1_000_000)
        let (head, long) = ServerResponse(status: .ok, body: body).bytes(isLast: false, ByteBufferAllocator())
        #expect(String(buffer: head).hasSuffix("\r\n\r\n"))
        #expect(long == body)
    }

    @Test(
        "a status has its words, also where only its number was given",
        arguments: [200: "OK", 404: "Not Found", 413: "Content Too Large", 422: "Unprocessable Content"]
    )
    func status(code: Int, words: String) {
        #expect(text(ServerResponse(status: .init(code: code))).hasPrefix("HTTP/1.1 \(code) \(words)\r\n"))
    }

    @Test("the last answer says once that it is, another does not", arguments: [true, false])
    func last(isSaid: Bool) {
        let response = ServerResponse(status: .ok, headers: isSaid ? [.connection: "close"] : [:])
        let times = { (text: String) in text.lowercased().ranges(of: "connection: close\r\n").count }
        #expect(times(text(response, isLast: true)) == 1)
        #expect(times(text(response)) == (isSaid ? 1 : 0))
    }

    @Test("204 and 304 tell no length, anything else does", arguments: [200, 204, 304, 404])
    func length(code: Int) {
        let isTold = text(ServerResponse(status: .init(code: code))).contains("Content-Length: 0\r\n")
        #expect(isTold == ![204, 304].contains(code))
    }
}
