/// Takes a `text/event-stream` apart, however its bytes are cut into chunks.
///
/// Lines end with CRLF, LF or CR; a byte order mark at the start, comments and unknown fields are skipped; an event
/// without any data line is dropped, as is one that the stream's end cuts off (WHATWG HTML, "Interpreting an event
/// stream").
public struct ServerSentEventParser: Sendable {
    private let limit: Int
    private var line: [UInt8] = []
    private var type = ""
    private var id: String?
    private var data: [UInt8]?
    private var isFirstLine = true
    private var skipsLineFeed = false

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// - Parameter limit: The most bytes of one event, 1 MiB by default: its data and the line being read.
    public init(limit: Int = 1 << 20) {
        self.limit = limit
    }

    /// Reads on and returns the events that are complete by now.
    ///
    /// - Throws: ``ServerSentEventTooLarge``; the stream must then be given up.
    public mutating func append(
        _ bytes: some Sequence<UInt8>
    ) throws(ServerSentEventTooLarge) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            let followsReturn = skipsLineFeed
            skipsLineFeed = byte == UInt8(ascii: "\r")
            if byte == UInt8(ascii: "\n"), followsReturn { continue }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                if let event = endLine() { events.append(event) }
            } else {
                guard line.count + (data?.count ?? 0) < limit else { throw ServerSentEventTooLarge() }
                line.append(byte)
            }
        }
        return events
    }

    private mutating func endLine() -> ServerSentEvent? {
        if isFirstLine, line.starts(with: Self.byteOrderMark) { line.removeFirst(Self.byteOrderMark.count) }
        isFirstLine = false
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else { return dispatch() }
        let name = line.prefix { $0 != UInt8(ascii: ":") }
        var value = line.dropFirst(name.count + 1)
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        switch String(decoding: name, as: UTF8.self) {
        case "event": type = String(decoding: value, as: UTF8.self)
        case "id" where !value.contains(0): id = String(decoding: value, as: UTF8.self)
        case "data": addData(value)
        default: break
        }
        return nil
    }

    /// Grows the data in place: a hostile event of very many lines must not cost quadratic time.
    private mutating func addData(_ value: ArraySlice<UInt8>) {
        if data == nil { data = [] } else { data?.append(UInt8(ascii: "\n")) }
        data?.append(contentsOf: value)
    }

    private mutating func dispatch() -> ServerSentEvent? {
        defer { (type, id, data) = ("", nil, nil) }
        return data.map { ServerSentEvent(type: type.isEmpty ? "message" : type, data: $0, id: id) }
    }
}
