internal import Foundation
internal import Glibc
internal import Synchronization

/// A TCP proxy in front of a MySQL-protocol server that cuts connections at the worst moment: at COMMIT.
///
/// Each connection has a thread of its own, which ends when either side hangs up.
public final class CommitProxy: Sendable {
    /// Where a connection is cut.
    public enum Cut: String, Sendable, CaseIterable {
        /// The server never sees the COMMIT: the change has not happened.
        case beforeForwarding
        /// The server has committed and said so, and the client never hears it.
        case beforeReply
    }

    private struct State {
        var pending: [Cut] = []
        var cuts = 0
        var connections = 0
    }

    private let listener: LoopbackSocket
    private let target: UInt16
    private let state = Mutex(State())

    /// Starts a proxy on a free port of the loopback interface.
    ///
    /// - Parameter target: the server's port there.
    /// - Throws: ``LoopbackSocket/Failure``
    public init(to target: UInt16) throws {
        self.target = target
        listener = try LoopbackSocket(isListening: true)
        Thread.detachNewThread { [listener, weak self] in
            while let client = listener.acceptNext() {
                guard let self else { return }
                self.serve(client)
            }
        }
    }

    deinit {
        listener.wake()
    }

    /// The port that clients connect to.
    public var port: UInt16 { listener.port }

    /// Connections that were cut so far.
    public var cuts: Int { state.withLock { $0.cuts } }

    /// Connections that were accepted so far.
    public var connections: Int { state.withLock { $0.connections } }

    /// Cuts the connections that send the next COMMITs, one for each element.
    public func cut(_ cuts: [Cut]) {
        state.withLock { $0.pending = cuts }
    }

    private func serve(_ client: Int32) {
        guard let server = LoopbackSocket.connected(to: target) else {
            close(client)
            return
        }
        state.withLock { $0.connections += 1 }
        Thread.detachNewThread {
            self.relay(client, server)
            close(client)
            close(server)
        }
    }

    private func relay(_ client: Int32, _ server: Int32) {
        while true {
            var sockets = [client, server].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard unsafe poll(&sockets, 2, -1) > 0 else { return }
            if sockets[1].revents != 0, !forward(received(server), to: client) { return }
            guard sockets[0].revents != 0 else { continue }
            let request = received(client)
            switch request.suffix(Self.commit.count).elementsEqual(Self.commit) ? nextCut() : nil {
            case .beforeForwarding: return
            case .beforeReply:
                _ = forward(request, to: server)
                _ = received(server)
                return
            case nil: if !forward(request, to: server) { return }
            }
        }
    }

    /// The packet of COM_QUERY with the text COMMIT: length, sequence number 0, command 3, text.
    /// https://mariadb.com/kb/en/com_query/
    private static let commit: [UInt8] = [7, 0, 0, 0, 3] + Array("COMMIT".utf8)

    private func nextCut() -> Cut? {
        state.withLock { state in
            guard !state.pending.isEmpty else { return nil }
            state.cuts += 1
            return state.pending.removeFirst()
        }
    }

    /// What has arrived; empty when the other side hung up.
    private func received(_ socket: Int32) -> ArraySlice<UInt8> {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(socket, &buffer, buffer.count, 0)
        return buffer.prefix(max(0, count))
    }

    private func forward(_ bytes: ArraySlice<UInt8>, to socket: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let sent = unsafe rest.withUnsafeBytes { bytes in
                unsafe send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return !bytes.isEmpty
    }
}
