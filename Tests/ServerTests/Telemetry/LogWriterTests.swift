import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import Server

@Suite("Lines of the log are written together")
struct LogWriterTests {
    /// Keeps what is written. Where it is stuck, nothing is taken from the first write on until it is let go.
    private final class Output: Sendable {
        private let taken = Mutex<[[UInt8]]>([])
        private let offered = Atomic(0)
        private let stuck: DispatchSemaphore?

        init(isStuck: Bool = false) {
            stuck = isStuck ? DispatchSemaphore(value: 0) : nil
        }

        func take(_ bytes: [UInt8]) {
            offered.add(1, ordering: .relaxed)
            if let stuck {
                stuck.wait()
                stuck.signal()
            }
            taken.withLock { $0.append(bytes) }
        }

        func letGo() { stuck?.signal() }

        var isOffered: Bool { offered.load(ordering: .relaxed) > 0 }
        var writes: Int { taken.withLock { $0.count } }
        var lines: [Substring] {
            taken.withLock { String(decoding: $0.joined(), as: UTF8.self) }.split(separator: "\n")
        }
    }

    @Test("lines come by themselves, and those of a moment in one write")
    func together() async throws {
        let output = Output()
        let writer = LogWriter { output.take($0) }
        for number in 0..<1_000 { writer.write(Array("line \(number)".utf8)) }
        try await until { output.lines.count == 1_000 }
        #expect(output.lines == (0..<1_000).map { "line \($0)" })
        #expect(output.writes < 1_000)
    }

    @Test("the lines of each of many writers stay whole and in order, also where some are flushed")
    func order() async {
        let output = Output()
        let writer = LogWriter { output.take($0) }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<500 {
                        writer.write(Array("\(task) \(number)".utf8))
                        if number % 50 == task { writer.flush() }
                    }
                }
            }
        }
        writer.flush()
        for task in 0..<8 {
            #expect(output.lines.filter { $0.hasPrefix("\(task) ") } == (0..<500).map { "\(task) \($0)" })
        }
    }

    @Test("what is not taken is bounded, whoever logs does not wait, and a line says how many were lost")
    func bounded() async throws {
        let output = Output(isStuck: true)
        let writer = LogWriter { output.take($0) }
        writer.write(Array("first".utf8))
        try await until { output.isOffered }
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: LogWriter.byteCountMax / 8)
        for _ in 0..<10 { writer.write(long) }
        output.letGo()
        writer.flush()
        #expect(output.lines.count == 1 + 7 + 1)
        #expect(output.lines.dropFirst().prefix(7).allSatisfy { $0.utf8.count == long.count })
        #expect(output.lines.last?.hasSuffix(#""lines":3}"#) == true)
        writer.write(Array("after".utf8))
        writer.flush()
        #expect(output.lines.count == 10)
        #expect(output.lines.last == "after")
    }

    @Test("the end of the process does not wait for whoever takes nothing")
    func end() async throws {
        let output = Output(isStuck: true)
        let writer = LogWriter { output.take($0) }
        writer.write(Array("never taken".utf8))
        try await until { output.isOffered }
        let before = ContinuousClock.now
        writer.flushAtEnd()
        #expect(before.duration(to: .now) < .seconds(10))
        #expect(output.lines.isEmpty)
        output.letGo()
        writer.flushAtEnd()
        #expect(output.lines == ["never taken"])
    }
}
