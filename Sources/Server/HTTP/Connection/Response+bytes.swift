internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1

extension Response {
    private static let serverName = "mcp-registry"
    /// Content up to 16 KiB is copied behind the head: that costs less than a second buffer to be sent.
    private static let copiedMax = 16 * 1_024
    /// Enough for a head that is usual.
    private static let headCapacity = 512

    /// What is sent of it over HTTP/1.1 (RFC 9112 §4 to §6), with the time and the server's name.
    ///
    /// - Parameters:
    ///   - isLast: whether the connection is closed after it, which is then said.
    ///   - allocator: gives the memory.
    /// - Returns: the head, with the content behind it unless that is long, and then the content.
    func bytes(isLast: Bool, _ allocator: ByteBufferAllocator) -> (ByteBuffer, long: ByteBuffer?) {
        let short = body.flatMap { $0.readableBytes <= Self.copiedMax ? $0 : nil }
        var buffer = allocator.buffer(capacity: Self.headCapacity + (short?.readableBytes ?? 0))
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString(String(status.code))
        buffer.writeStaticString(" ")
        buffer.writeString(status.phrase)
        buffer.writeStaticString("\r\n")
        for field in headers { Self.write(field.name.rawName, field.value, to: &buffer) }
        if isLast, !headers.closesConnection { Self.write("Connection", "close", to: &buffer) }
        Self.write("Date", ResponseDate.text, to: &buffer)
        Self.write("Server", Self.serverName, to: &buffer)
        buffer.writeStaticString("\r\n")
        guard let short else { return (buffer, body) }
        buffer.writeImmutableBuffer(short)
        return (buffer, nil)
    }

    private static func write(_ name: String, _ value: String, to buffer: inout ByteBuffer) {
        buffer.writeString(name)
        buffer.writeStaticString(": ")
        buffer.writeString(value)
        buffer.writeStaticString("\r\n")
    }
}

extension HTTPFields {
    /// Whether they say that the connection is closed after what they belong to (RFC 9112 §9.6).
    var closesConnection: Bool { contains { $0.name == .connection && $0.value.lowercased() == "close" } }
}

extension HTTPResponse.Status {
    /// What it is called (RFC 9110 §15), also where only its number was given.
    var phrase: String {
        switch code {
        // NIO has the words of earlier standards.
        case Self.contentTooLarge.code: Self.contentTooLarge.reasonPhrase
        case Self.unprocessableContent.code: Self.unprocessableContent.reasonPhrase
        default: HTTPResponseStatus(statusCode: code).reasonPhrase
        }
    }
}
