import NIOCore
import NIOPosix

/// A connection over which a test sends bytes as it likes.
struct RawConnection: Sendable {
    private let chunks: AsyncStream<ByteBuffer>
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>

    /// Lends a connection to a port of this machine; one that reads nothing on request.
    static func with<T: Sendable>(
        _ port: Int,
        reads: Bool = true,
        _ body: @escaping @Sendable (RawConnection) async throws -> T
    ) async throws -> T {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: reads)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true)
                    )
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            let (chunks, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
            return try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    defer { continuation.finish() }
                    for try await chunk in inbound { continuation.yield(chunk) }
                }
                defer { tasks.cancelAll() }
                return try await body(RawConnection(chunks: chunks, outbound: outbound))
            }
        }
    }

    func send(_ text: String) async throws {
        try await outbound.write(ByteBuffer(string: text))
    }

    /// Ends this side of the connection.
    func finish() { outbound.finish() }

    /// Reads until the text that has come holds another, which comes in one piece, so many times, or the server has ended its side.
    func read(until wanted: String? = nil, times: Int = 1) async -> String {
        var text = ""
        var count = 0
        for await chunk in chunks {
            let new = String(buffer: chunk)
            text += new
            guard let wanted else { continue }
            count += new.ranges(of: wanted).count
            if count >= times { break }
        }
        return text
    }
}
