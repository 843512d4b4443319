internal import Glibc
internal import Synchronization

/// Random bytes of the operating system, fetched many at a time: Swift's own generator opens a file for every 8 of them.
enum RandomBytes {
    /// What one call may fetch (getentropy(3)).
    private static let storeSize = 256

    private static let store = Mutex<[UInt8]>([])

    /// So many random bytes, at most 256.
    static func take(_ count: Int) -> [UInt8] {
        store.withLock { store in
            if store.count < count { store = fetched() }
            defer { store.removeLast(count) }
            return Array(store.suffix(count))
        }
    }

    private static func fetched() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: storeSize)
        let result = unsafe bytes.withUnsafeMutableBytes { unsafe getentropy($0.baseAddress, $0.count) }
        precondition(result == 0, "the operating system has no random bytes (errno \(errno))")
        return bytes
    }
}
