import ArgumentParser
import Foundation
import Hummingbird
import Logging

/// The same HTTP server as the registry's, without a registry: it answers every request to `/` with the bytes of a file, from
/// memory. What the registry reaches is measured against it.
@main
struct Ceiling: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp-registry-ceiling",
        abstract: "Answer every request with the same bytes, from memory."
    )

    @Option(help: "The port at 127.0.0.1; 0 for any free one.")
    var port = 0

    @Option(help: "The file with the bytes.")
    var file: String

    @Option(help: "Their media type.")
    var contentType = "application/json"

    func run() async throws {
        let body = ByteBuffer(bytes: try Data(contentsOf: URL(filePath: file)))
        let headers: HTTPFields = [.contentType: contentType, .contentLength: "\(body.readableBytes)"]
        var logger = Logger(label: "ceiling")
        logger.logLevel = .error
        let router = Router()
        let answer: @Sendable (Request, BasicRequestContext) async throws -> Response = { request, _ in
            _ = try await request.body.collect(upTo: 1_048_576)
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
        }
        router.get("/", use: answer)
        router.post("/", use: answer)
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { channel in
                print("listening on http://127.0.0.1:\(channel.localAddress?.port ?? 0)")
                fflush(nil)
            },
            logger: logger
        )
        try await application.runService()
    }
}
