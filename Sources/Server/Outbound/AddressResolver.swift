internal import Foundation
internal import Glibc
internal import Synchronization

/// Finds the addresses of a host.
protocol AddressResolver: Sendable {
    /// All addresses of a name, the one to try first at the front; none when it has none or can't be resolved.
    ///
    /// Returns soon after its task is cancelled.
    func addresses(of name: String) async -> [IPAddress]
}

/// Asks the system (`getaddrinfo`), and so `/etc/hosts` and the DNS, on a thread of its own for each question: the call
/// blocks for as long as the system's own settings let it.
struct SystemResolver: AddressResolver {
    /// See ``AddressResolver/addresses(of:)``.
    func addresses(of name: String) async -> [IPAddress] {
        let answer = AsyncStream.makeStream(of: [IPAddress].self, bufferingPolicy: .bufferingNewest(1))
        Thread.detachNewThread {
            answer.continuation.yield(Self.lookUp(name))
            answer.continuation.finish()
        }
        // Ends with nil when the task is cancelled; the thread then speaks to nobody.
        return await answer.stream.first { _ in true } ?? []
    }

    private static func lookUp(_ name: String) -> [IPAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var head: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(name, nil, &hints, &head) == 0 else { return [] }
        defer { unsafe freeaddrinfo(head) }
        var found: [IPAddress] = []
        var next = unsafe head
        while let entry = unsafe next {
            if let address = unsafe address(in: entry.pointee), !found.contains(address) { found.append(address) }
            unsafe next = entry.pointee.ai_next
        }
        return found
    }

    /// The address of one entry; a zone (`%eth0`), which only link-local addresses have, is cut off.
    private static func address(in entry: addrinfo) -> IPAddress? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = unsafe getnameinfo(
            entry.ai_addr,
            entry.ai_addrlen,
            &text,
            socklen_t(text.count),
            nil,
            0,
            NI_NUMERICHOST
        )
        guard code == 0 else { return nil }
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return IPAddress(String(decoding: bytes.prefix { $0 != UInt8(ascii: "%") }, as: UTF8.self))
    }
}
