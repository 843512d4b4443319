import HTTPTypes
import Hummingbird
import MCP
import NIOCore
import Testing

@testable import Server

@Suite("Documents about the catalogue")
struct CatalogDocumentTests {
    @Test(
        "gzip is sent to those who accept it",
        arguments: [
            (nil, false), ("", false), ("gzip", true), ("deflate, gzip;q=1.0, *;q=0.5", true), ("*", true),
            ("br", false),
            ("gzip;q=0", false), ("gzip; q=0.0, *", false), ("*, gzip;q=0", false), ("identity", false), ("GZIP", true),
            ("x-gzip", true), ("*;q=0", false),
        ] as [(String?, Bool)]
    )
    func acceptance(_ header: String?, _ isWanted: Bool) {
        #expect(CatalogDocument.wantsGzip(header) == isWanted)
    }

    @Test("a large document becomes much smaller")
    func compression() throws {
        let services = JSONObject((0..<100).map { ("service-\($0)", ["url": "https://example.com/mcp"]) })
        let value = JSONValue.object(["services": .object(services)])
        let compressed = try #require(Gzip.compressed(ByteBuffer(bytes: value.serialized())))
        #expect(compressed.readableBytes < value.serialized().count / 4)
        #expect(compressed.getInteger(at: 0, as: UInt16.self) == 0x1f8b)
    }

    @Test("whoever accepts gzip is sent it with a tag of its own, and is told so when it has that")
    func compressed() throws {
        let services = JSONObject((0..<100).map { ("service-\($0)", ["url": "https://example.com/mcp"]) })
        let document = CatalogDocument(["services": .object(services)])
        let plain = document.response(to: Self.request([:]), isConditional: true)
        let packed = document.response(to: Self.request([.acceptEncoding: "gzip"]), isConditional: true)
        #expect(plain.headers[.contentEncoding] == nil && packed.headers[.contentEncoding] == "gzip")
        #expect(plain.headers[.vary] == "Accept-Encoding" && packed.headers[.vary] == "Accept-Encoding")
        #expect(packed.body?.getInteger(at: 0, as: UInt16.self) == 0x1f8b)
        #expect(packed.headers[.contentLength] == packed.body.map { "\($0.readableBytes)" })
        let tag = try #require(packed.headers[.eTag])
        #expect(plain.headers[.eTag].map { "\($0.dropLast())-gzip\"" } == tag)
        let known = Self.request([.acceptEncoding: "gzip", .ifNoneMatch: tag])
        let again = document.response(to: known, isConditional: true)
        #expect(again.status == .notModified && again.headers[.eTag] == tag && again.body == nil)
        // Where there is no condition, there is nothing to name the answer by either.
        #expect(document.response(to: known).headers[.eTag] == nil)
    }

    private static func request(_ headers: HTTPFields) -> Request {
        Request(
            head: HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/", headerFields: headers),
            body: RequestBody(buffer: ByteBuffer())
        )
    }

    @Test("a client that has the document already is told so, whichever way it names it")
    func conditions() throws {
        let document = CatalogDocument(["services": [:]])
        let first = document.response(to: Self.request([:]), isConditional: true)
        let tag = try #require(first.headers[.eTag])
        #expect(first.status == .ok && tag.hasPrefix("\"") && tag.hasSuffix("\""))
        for known in [tag, "W/\(tag)", "\"a\", \(tag)", "*", "\(tag.dropLast())-gzip\""] {
            let again = document.response(to: Self.request([.ifNoneMatch: known]), isConditional: true)
            #expect(again.status == .notModified, "\(known)")
            #expect(again.headers[.eTag] == tag)
        }
        for unknown in ["\"a\"", "", tag.lowercased().replacing("\"", with: ""), "\"\""] {
            let again = document.response(to: Self.request([.ifNoneMatch: unknown]), isConditional: true)
            #expect(again.status == .ok, "\(unknown)")
        }
        // With POST the condition would mean something else.
        #expect(document.response(to: Self.request([.ifNoneMatch: tag])).status == .ok)
        let other = CatalogDocument(["services": ["a": [:]]]).response(to: Self.request([:]), isConditional: true)
        #expect(other.headers[.eTag] != tag)
    }
}
