import DBDriver
import HTTPTypes
import HummingbirdCore
import NIOCore
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Server

@Suite("Connections")
struct ConnectionTests {
    /// Runs `body` beside a server that answers each request with its path and the length of its content, as its path wants:
    /// `/later…` after other work, `/unread…` without looking at the content.
    private static func serve(
        patience: RequestHandler.Patience = .init(),
        answer: @escaping HTTPChannel.Answer = echo,
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        try await HTTPChannel(patience: patience, answer: answer).serving(body)
    }

    private static let echo: HTTPChannel.Answer = { request, _ in
        let path = request.uri.path
        if path.hasPrefix("/later") { await Task.detached { await Task.yield() }.value }
        if path.hasPrefix("/unread") { return text(path) }
        do {
            return text("\(path) \(try await RequestFields.collect(request).count)")
        } catch let problem as Problem {
            return problem.response
        } catch {
            return text("\(error)")
        }
    }

    private static func text(_ text: String) -> ServerResponse {
        ServerResponse(status: .ok, body: ByteBuffer(string: "<\(text)>"))
    }

    private static func request(_ path: String, _ body: String = "", _ headers: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    /// What stands between angle brackets, in order.
    private static func answers(in text: String) -> [String] {
        text.matches(of: /<([^>]*)>/).map { String($0.1) }
    }

    private static func statuses(in text: String) -> [String] {
        text.matches(of: /HTTP\/1\.1 (\d+)/).map { String($0.1) }
    }

    @Test("requests that are sent at once are answered in their order, whether at once or later")
    func order() async throws {
        try await Self.serve { port in
            let paths = (0..<300).map { $0 % 7 == 3 ? "/later\($0)" : "/now\($0)" }
            let told = try await RawConnection.with(port) { connection in
                try await connection.send(paths.map { Self.request($0, "x") }.joined())
                return await connection.read(until: ">", times: paths.count)
            }
            #expect(Self.answers(in: told) == paths.map { "\($0) 1" })
        }
    }

    @Test("content that comes in pieces is read whole, however large it is", arguments: [2, 100_000, 1_000_000])
    func pieces(_ size: Int) async throws {
        try await Self.serve { port in
            let body = String(repeating: "x", count: size)
            let whole = Self.request("/a", body) + Self.request("/b")
            let told = try await RawConnection.with(port) { connection in
                let half = whole.utf8.count - size / 2 - Self.request("/b").utf8.count
                try await connection.send(String(whole.prefix(half)))
                try await Task.sleep(for: .milliseconds(20))
                try await connection.send(String(whole.dropFirst(half)))
                return await connection.read(until: ">", times: 2)
            }
            #expect(Self.answers(in: told) == ["/a \(size)", "/b 0"])
        }
    }

    @Test("content that is not looked at is dropped, and the next request is answered")
    func unread() async throws {
        try await Self.serve { port in
            let whole = Self.request("/unread", String(repeating: "x", count: 300_000)) + Self.request("/next")
            let told = try await RawConnection.with(port) { connection in
                try await connection.send(String(whole.prefix(1_000)))
                let first = await connection.read(until: ">")
                try await connection.send(String(whole.dropFirst(1_000)))
                return await first + connection.read(until: ">")
            }
            #expect(Self.answers(in: told) == ["/unread", "/next 0"])
        }
    }

    @Test("content that does not come in time is 408, and the connection ends")
    func late() async throws {
        try await Self.serve(patience: .init(body: .milliseconds(50))) { port in
            let told = try await RawConnection.with(port) { connection in
                try await connection.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
                return await connection.read()
            }
            #expect(Self.statuses(in: told) == ["408"] && told.lowercased().contains("connection: close"))
        }
    }

    @Test("a client that ends its side gets the answers to what it has sent, and then the end")
    func halfClosed() async throws {
        try await Self.serve { port in
            let told = try await RawConnection.with(port) { connection in
                try await connection.send(Self.request("/later1", "x") + Self.request("/later2"))
                connection.finish()
                return await connection.read()
            }
            #expect(Self.answers(in: told) == ["/later1 1", "/later2 0"])
        }
    }

    @Test("after a request that closes the connection no other is answered")
    func closing() async throws {
        try await Self.serve { port in
            let told = try await RawConnection.with(port) { connection in
                let last = Self.request("/last", "", "Connection: close\r\n")
                try await connection.send(Self.request("/first") + last + Self.request("/never"))
                return await connection.read()
            }
            #expect(Self.answers(in: told) == ["/first 0", "/last 0"])
            #expect(Self.statuses(in: told) == ["200", "200"])
        }
    }

    @Test("what is not HTTP is 400, once the requests before are answered")
    func notHTTP() async throws {
        try await Self.serve { port in
            let told = try await RawConnection.with(port) { connection in
                try await connection.send(Self.request("/later") + "what?\r\n\r\n")
                return await connection.read()
            }
            #expect(Self.answers(in: told) == ["/later 0"])
            #expect(told.contains("HTTP/1.1 400 "))
        }
    }

    @Test("garbage in many pieces is 400 once, after the answers before it")
    func garbage() async throws {
        try await Self.serve { port in
            let told = try await RawConnection.with(port) { connection in
                try await connection.send(Self.request("/later"))
                for _ in 0..<20 {
                    try await connection.send(String(repeating: "?", count: 1_000))
                    await Task.yield()
                }
                return await connection.read()
            }
            #expect(Self.statuses(in: told) == ["200", "400"])
        }
    }

    @Test(
        "a connection whose client closes it, or wants another protocol, ends after the answer",
        arguments: [
            ("HTTP/1.1", "Connection: keep-alive, close\r\n"), ("HTTP/1.0", ""),
            ("HTTP/1.1", "Connection: Upgrade\r\nUpgrade: h2c\r\n"),
            ("HTTP/1.0", "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n"),
        ]
    )
    func lastRequest(_ version: String, _ headers: String) async throws {
        try await Self.serve { port in
            let told = try await RawConnection.with(port) { connection in
                let end = headers.contains("chunked") ? "0\r\n\r\n" : ""
                try await connection.send("GET /a \(version)\r\nHost: a\r\n\(headers)\r\n\(end)")
                return await connection.read()
            }
            #expect(Self.answers(in: told) == ["/a 0"] && told.lowercased().contains("connection: close"))
        }
    }

    @Test("a request for another protocol with content in pieces is answered, and what comes after it is not looked at")
    func upgradeInPieces() async throws {
        try await Self.serve { port in
            let told = try await RawConnection.with(port) { connection in
                let headers = "Connection: Upgrade\r\nUpgrade: h2c\r\nExpect: 100-continue\r\n"
                try await connection.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\(headers)\r\n")
                let first = await connection.read(until: "\r\n\r\n")
                try await connection.send("1234\(Self.request("/b"))")
                return await first + connection.read()
            }
            #expect(Self.answers(in: told) == ["/a 4"] && told.lowercased().contains("connection: close"))
        }
    }

    @Test("a client of HTTP/1.0 is not told to go on, whatever it expects")
    func oldExpectation() async throws {
        try await Self.serve { port in
            let told = try await RawConnection.with(port) { connection in
                try await connection.send("POST /a HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n12")
                try await connection.send("345")
                return await connection.read()
            }
            #expect(Self.statuses(in: told) == ["200"] && Self.answers(in: told) == ["/a 5"])
        }
    }

    @Test("a client that waits to be told so sends its content then")
    func expectation() async throws {
        try await Self.serve { port in
            let told = try await RawConnection.with(port) { connection in
                let head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
                try await connection.send(head)
                let first = await connection.read(until: "\r\n\r\n")
                try await connection.send("12345")
                return await first + connection.read(until: ">")
            }
            #expect(Self.statuses(in: told) == ["100", "200"] && Self.answers(in: told) == ["/a 5"])
        }
    }

    @Test("a large answer arrives whole, also when the client has ended its side or closes the connection")
    func largeAnswer() async throws {
        let size = 12_000_000
        let body = ByteBuffer(repeating: UInt8(ascii: "x"), count: size)
        try await Self.serve(answer: { _, _ in ServerResponse(status: .ok, body: body) }) { port in
            for headers in ["", "Connection: close\r\n"] {
                let told = try await RawConnection.with(port) { connection in
                    try await connection.send(Self.request("/a", "", headers))
                    if headers.isEmpty { connection.finish() }
                    return await connection.read()
                }
                #expect(told.utf8.count > size && told.hasSuffix("xxx"))
            }
        }
    }

    @Test("a client that takes no answers gets no more of them")
    func slowReader() async throws {
        let answered = Mutex(0)
        let body = ByteBuffer(repeating: 0, count: 10_000_000)
        try await Self.serve(answer: { _, _ in
            answered.withLock { $0 += 1 }
            return ServerResponse(status: .ok, body: body)
        }) { port in
            try await RawConnection.with(port, reads: false) { connection in
                try await connection.send(String(repeating: Self.request("/a"), count: 200))
                try await until { answered.withLock { $0 } > 0 }
                try await Task.sleep(for: .milliseconds(300))
            }
            #expect(answered.withLock { $0 } < 5)
        }
    }

    @Test("a connection on which nothing happens is closed, but not while its request is being answered")
    func idle() async throws {
        let gate = Gate()
        try await Self.serve(
            patience: .init(idle: .seconds(2)),
            answer: { _, _ in
                await gate.wait()
                return Self.text("late")
            }
        ) { port in
            let told = try await RawConnection.with(port) { connection in
                try await connection.send(Self.request("/a"))
                try await Task.sleep(for: .seconds(3))
                gate.open()
                return await connection.read()
            }
            #expect(Self.answers(in: told) == ["late"])
        }
    }

    @Test("content that breaks off is an error of the request that it belongs to")
    func brokenOff() async throws {
        try await Self.serve { port in
            let told = try await RawConnection.with(port) { connection in
                try await connection.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
                connection.finish()
                return await connection.read()
            }
            #expect(Self.statuses(in: told) == ["400"] && told.contains("could not be read to its end"))
        }
    }

    @Test("work that only a waiting client has any use of is cancelled when the client goes")
    func clientGone() async throws {
        let (begun, cancelled) = (AsyncStream.makeStream(of: Void.self), AsyncStream.makeStream(of: Bool.self))
        try await Self.serve(answer: { _, client in
            await client.whileConnected {
                begun.continuation.yield()
                try? await Task.sleep(for: .seconds(60))
                cancelled.continuation.yield(Task.isCancelled)
            }
            return Self.text("")
        }) { port in
            try await RawConnection.with(port) { connection in
                try await connection.send(Self.request("/a"))
                _ = await begun.stream.first { true }
            }
            #expect(await cancelled.stream.first { _ in true } == true)
        }
    }

    @Test("a server that is cancelled ends its connections, and what is under way")
    func cancelled() async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let begun = AsyncStream.makeStream(of: Void.self)
        let channel = HTTPChannel { _, _ in
            begun.continuation.yield()
            try? await Task.sleep(for: .seconds(60))
            return Self.text("\(Task.isCancelled)")
        }
        let server = channel.server(at: .hostname("127.0.0.1", port: 0), logger: quietLogger) { port.yield($0) }
        let running = Task { try await server.run() }
        let number = try #require(await ports.first { _ in true })
        let told = try await RawConnection.with(number) { connection in
            try await connection.send(Self.request("/a"))
            _ = await begun.stream.first { true }
            running.cancel()
            return await connection.read()
        }
        #expect(Self.answers(in: told) == ["true"])
        try? await running.value
    }

    @Test("a server that is cancelled does not wait for a client that takes no answers")
    func cancelledUnread() async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let answered = Mutex(0)
        let channel = HTTPChannel { _, _ in
            answered.withLock { $0 += 1 }
            return ServerResponse(status: .ok, body: ByteBuffer(repeating: 0, count: 50_000_000))
        }
        let server = channel.server(at: .hostname("127.0.0.1", port: 0), logger: quietLogger) { port.yield($0) }
        let running = Task { try await server.run() }
        let number = try #require(await ports.first { _ in true })
        try await RawConnection.with(number, reads: false) { connection in
            try await connection.send(Self.request("/a"))
            try await until { answered.withLock { $0 } == 1 }
            running.cancel()
            try? await running.value
        }
    }

    @Test("the time of answers is written as HTTP wants it")
    func date() {
        #expect(ResponseDate.text(of: Timestamp(microseconds: 784_111_777_000_000)) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }
}
