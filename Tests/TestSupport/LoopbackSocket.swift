internal import Glibc

/// A TCP socket bound to a free port of the loopback interface: one that refuses connections, or one that accepts them and
/// never says a word.
public final class LoopbackSocket: Sendable {
    /// A call of the socket interface failed.
    public struct Failure: Error {
        /// The `errno` of the call.
        public let code: Int32
    }

    /// The port.
    public let port: UInt16
    let descriptor: Int32

    /// Binds a socket to a free port.
    ///
    /// - Parameter isListening: whether connections are accepted (by the kernel; nobody answers) or refused.
    /// - Throws: ``Failure``
    public init(isListening: Bool) throws {
        let (descriptor, port) = try Self.bound()
        self.descriptor = descriptor
        self.port = port
        if isListening, listen(descriptor, 64) != 0 { throw Failure(code: errno) }
    }

    deinit {
        close(descriptor)
    }

    /// Lets a thread that waits for the next connection go on; no more are accepted.
    func wake() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// The next connection; nil after ``wake()``.
    func acceptNext() -> Int32? {
        let accepted = accept(descriptor, nil, nil)
        return accepted < 0 ? nil : accepted
    }

    /// A connection to a port of the loopback interface; nil when it is refused.
    static func connected(to port: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let result = unsafe withAddress(port) { address, length in unsafe connect(descriptor, address, length) }
        if result == 0 { return descriptor }
        close(descriptor)
        return nil
    }

    private static func bound() throws -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withAddress(0) { address, length in unsafe bind(descriptor, address, length) }
        let named = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe getsockname(descriptor, pointer, &length)
            }
        }
        guard result == 0, named == 0 else {
            let code = errno
            close(descriptor)
            throw Failure(code: code)
        }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    private static func withAddress(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe body(pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
