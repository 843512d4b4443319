internal import DBDriver
internal import Synchronization

/// The time as text, written once a second: what is written at that time asks for it again and again.
final class TextOfSecond: Sendable {
    private let latest = Mutex<(second: Int64, text: String)>((.min, ""))
    private let make: @Sendable (Timestamp) -> String

    /// - Parameter make: writes a whole second.
    init(make: @escaping @Sendable (Timestamp) -> String) {
        self.make = make
    }

    /// The text of the second that a moment is in.
    func callAsFunction(_ time: Timestamp) -> String {
        let second = time.microseconds / 1_000_000
        return latest.withLock { latest in
            if latest.second != second { latest = (second, make(Timestamp(microseconds: second * 1_000_000))) }
            return latest.text
        }
    }
}
