internal import Dispatch
internal import Foundation
internal import Synchronization

/// Writes lines to standard error from a thread of its own, those together that come within a moment: whoever logs, an event loop for
/// instance, does not wait for whatever takes the lines.
final class LogWriter: Sendable {
    /// The process's own.
    static let standardError = LogWriter { FileHandle.standardError.write(Data($0)) }

    /// What may wait to be written: 8 MiB. Beyond that lines are dropped, and a line says how many.
    static let byteCountMax = 8 * 1_048_576
    /// How long a line waits for others: 2 ms.
    private static let pause: TimeInterval = 0.002

    private struct State {
        var bytes: [UInt8] = []
        var dropped = 0
        var isScheduled = false
    }

    private let queue = DispatchQueue(label: "log")
    private let state = Mutex(State())
    /// Held while something is written, so that the lines stay in order.
    private let writing = Mutex(())
    private let output: @Sendable ([UInt8]) -> Void

    /// - Parameter output: writes bytes, and may take its time.
    init(output: @escaping @Sendable ([UInt8]) -> Void) {
        self.output = output
    }

    /// Takes a line, given as UTF-8 without its end.
    func write(_ line: [UInt8]) {
        let isFirst = state.withLock { state in
            guard state.bytes.count + line.count < Self.byteCountMax else {
                state.dropped += 1
                return false
            }
            state.bytes += line
            state.bytes.append(UInt8(ascii: "\n"))
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        guard isFirst else { return }
        queue.async {
            // The thread is there for nothing else, and a timer would take another one.
            Thread.sleep(forTimeInterval: Self.pause)
            self.flush()
        }
    }

    /// Writes what has come so far, before it returns.
    func flush() {
        writing.withLock { _ in writeAll() }
    }

    /// The same at the end of the process, which waits a second at most for whoever takes no more lines.
    func flushAtEnd() {
        for _ in 0..<100 where writing.withLockIfAvailable({ _ in writeAll() }) == nil {
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    private func writeAll() {
        let (bytes, dropped) = state.withLock { state in
            defer { state = State() }
            return (state.bytes, state.dropped)
        }
        let note =
            #"{"level":"warning","message":"lines of the log were lost, since they were not taken","lines":\#(dropped)}"#
        let whole = dropped > 0 ? bytes + Array("\(note)\n".utf8) : bytes
        if !whole.isEmpty { output(whole) }
    }
}
