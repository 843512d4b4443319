import MCP
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("Pages of long lists")
struct PageTests {
    /// Reads a list page by page.
    private static func pages(
        _ page: (_ cursor: String?) async throws -> Answer
    ) async throws -> [JSONValue] {
        var pages: [JSONValue] = []
        var cursor: String?
        repeat {
            let answer = try await page(cursor)
            try #require(answer.status == 200, "\(answer.text)")
            pages.append(try answer.json)
            cursor = try answer.json["next_cursor"]?.string
        } while cursor != nil && pages.count < 20
        return pages
    }

    @Test("pages together are the list, in the order of names, each as long as wanted", arguments: Engine.available)
    func pages(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let names = ["b", "a", "e\u{301}", "\u{e9}", "Z", "a b", "c&d"]
            for (number, name) in names.enumerated() {
                let service = try NewService(
                    name: name,
                    endpoint: "https://s\(number).example/mcp",
                    description: "d",
                    requiresAuthorization: false,
                    method: ""
                )
                _ = try await server.registry.add(service, by: .administrator)
            }
            let services = try await Self.pages { cursor in
                let rest = cursor.map { "&cursor=" + Self.escaped($0) } ?? ""
                return try await server.send("GET", "/list_services?limit=3\(rest)")
            }
            let found = services.map { $0["services"]?.object?.keys ?? [] }
            #expect(found.map(\.count) == [3, 3, 1])
            let byBytes = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(found.flatMap { $0 }.map { Array($0.utf8) } == byBytes.map { Array($0.utf8) })

            for number in 0..<5 {
                try await server.registry.register(UserID("u\(number)"), role: nil, by: .administrator)
            }
            let users = try await Self.pages { cursor in
                try await server.send("GET", "/list_users?limit=2" + (cursor.map { "&cursor=\($0)" } ?? ""))
            }
            #expect(users.map { $0["users"]?.array?.count } == [2, 2, 1])
            #expect(users[2]["users"]?[0]?["user"]?["user_id"] == "u4")

            let role = try RoleName("r")
            try await server.registry.createRole(role, SystemPrompt(""), by: .administrator)
            for tool in try await server.registry.tools(of: ServiceName("a"))
                + server.registry.tools(of: ServiceName("b"))
            {
                try await server.registry.attach(role, to: tool.id, by: .administrator)
            }
            let usable = try await Self.pages { cursor in
                let rest = cursor.map { #","cursor":"\#($0)""# } ?? ""
                return try await server.send("POST", "/tools_for_role", #"{"role":"r","limit":3\#(rest)}"#)
            }
            #expect(usable.map { $0["tools"]?.array?.count } == [3, 1])
            let ids = usable.flatMap { $0["tools"]?.array ?? [] }.compactMap { $0["id"]?.integer }
            #expect(ids == ids.sorted() && Set(ids).count == 4)
            #expect(
                try await server.send("POST", "/tools_for_role", #"{"role":"x","limit":3}"#).text == #"{"tools":[]}"#
            )
        }
    }

    @Test("a limit or cursor that is none is refused")
    func refusals() async throws {
        try await TestServer.run(.sqlite) { server in
            for query in [
                "limit=0", "limit=1001", "limit=-1", "limit=a", "limit=1.5", "limit=", "limit=99999999999999999999",
            ] {
                #expect(try await server.send("GET", "/list_services?\(query)").status == 400, "\(query)")
                #expect(try await server.send("GET", "/list_users?\(query)").status == 400, "\(query)")
            }
            for query in ["cursor=", "cursor=%00", "cursor=%20a", "limit=1&limit=2", "cursor=%ff"] {
                #expect(try await server.send("GET", "/list_services?\(query)").status == 400, "\(query)")
            }
            for members in [#""limit":0"#, #""limit":"a""#, #""limit":1.5"#, #""cursor":"a""#, #""cursor":1"#] {
                let answer = try await server.send("POST", "/tools_for_role", #"{"role":"r",\#(members)}"#)
                #expect(answer.status == 400, "\(members)")
            }
        }
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let hexadecimal = String(byte, radix: 16)
            return "%" + (hexadecimal.count == 1 ? "0" : "") + hexadecimal
        }.joined()
    }
}
