import TestSupport
import Testing

@testable import Server

@Suite("/token")
struct TokenRouteTests {
    private static let missing = "service_name and user_id are required"
    private static let unauthorized = "User is not authorized to use this service. Authorize please."
    private static let noKeys = "no key ring is configured: tokens can be neither stored nor read"

    /// The three ways to ask, which must not differ.
    enum Way: String, CaseIterable {
        case getWithBody, getWithQuery, post

        func ask(_ server: TestServer, service: String?, user: String?) async throws -> Answer {
            let fields = [("service_name", service), ("user_id", user)].compactMap { name, value in
                value.map { (name, $0) }
            }
            let body = "{" + fields.map { #""\#($0)":"\#($1)""# }.joined(separator: ",") + "}"
            let query = fields.map { "\($0)=\($1.replacing("ä", with: "%C3%A4").replacing("ü", with: "%C3%BC"))" }
                .joined(
                    separator: "&"
                )
            let answer =
                switch self {
                case .getWithBody: try await server.send("GET", "/token", body)
                case .getWithQuery: try await server.send("GET", "/token?" + query)
                case .post: try await server.send("POST", "/token", body)
                }
            #expect(answer.header("Cache-Control") == "no-store")
            #expect(answer.header("WWW-Authenticate") == nil)
            return answer
        }
    }

    @Test("checks in order, the same for each way to ask", arguments: Engine.available)
    func order(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            try await server.addService("bank", method: "Bearer")
            try await server.addService("shop", method: "Basic")
            try await server.authorize("u1", "bank", "tök en")
            try await server.authorize("u1", "shop", "dTE6cA==")
            try await server.authorize("u1", "pizza", "ignored")
            for way in Way.allCases {
                for (service, user) in [(nil, nil), ("bank", nil), (nil, "u1"), ("", "u1"), ("bank", "")] {
                    try await way.ask(server, service: service, user: user).expectProblem(400, Self.missing)
                }
                for service in ["none", "Bank", "bänk"] {
                    try await way.ask(server, service: service, user: "u1").expectProblem(404, "Service not found")
                }
                for user in ["u1", "u9"] {
                    try await way.ask(server, service: "pizza", user: user).expect(#"{"status":"Ok"}"#)
                }
                for user in ["u9", "U1", "ü1"] {
                    try await way.ask(server, service: "bank", user: user).expectProblem(401, Self.unauthorized)
                }
                try await way.ask(server, service: "bank", user: "u1").expect(
                    #"{"token":"tök en","method_authorization":"Bearer"}"#
                )
                try await way.ask(server, service: "shop", user: "u1").expect(
                    #"{"token":"dTE6cA==","method_authorization":"Basic"}"#
                )
            }
            #expect(
                try await server.users() == #"{"users":[{"user":{"user_id":"u1","role":""}}]}"#,
                "asking creates nobody"
            )
        }
    }

    @Test("a new token takes the place of the old one", arguments: Engine.available)
    func replacing(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("bank", method: "Bearer")
            for token in ["first", "second"] {
                try await server.authorize("u1", "bank", token)
                try await Way.post.ask(server, service: "bank", user: "u1").expect(
                    #"{"token":"\#(token)","method_authorization":"Bearer"}"#
                )
            }
        }
    }

    @Test("a service that was removed and added again has no tokens", arguments: Engine.available)
    func removedService(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("bank", method: "Bearer")
            try await server.authorize("u1", "bank", "old")
            try await server.done("remove_service", #"{"service_name":"bank"}"#)
            try await Way.getWithBody.ask(server, service: "bank", user: "u1").expectProblem(404, "Service not found")
            try await server.addService("bank", method: "Bearer")
            try await Way.getWithBody.ask(server, service: "bank", user: "u1").expectProblem(401, Self.unauthorized)
        }
    }

    @Test("without a key ring tokens are 503 and everything else works", arguments: Engine.available)
    func withoutKeyRing(_ engine: Engine) async throws {
        try await TestServer.run(engine, TestServer.Options(hasKeyRing: false)) { server in
            try await server.addService("pizza")
            try await server.addService("bank", method: "Bearer")
            for way in Way.allCases {
                let answer = try await way.ask(server, service: "bank", user: "u1")
                answer.expectProblem(503, Self.noKeys)
                try await way.ask(server, service: "pizza", user: "u1").expect(#"{"status":"Ok"}"#)
                try await way.ask(server, service: "none", user: "u1").expectProblem(404, "Service not found")
                try await way.ask(server, service: "bank", user: nil).expectProblem(400, Self.missing)
            }
            try await server.expect(
                "authorize_user_to_service",
                #"{"service_name":"bank","user_id":"u1","token":"t"}"#,
                fails: Self.noKeys
            )
            try await server.expect(
                "/discovery_credential",
                #"{"service_name":"bank","method_authorization":"Basic","token":"t"}"#,
                refuses: 503,
                Self.noKeys
            )
            #expect(try await server.users() == #"{"users":[]}"#)
            try await server.send("GET", "/ready").expect(#"{"status":"ready"}"#)
            try await server.expect("/role_for_user", #"{"user_id":"u1"}"#, answers: #"{"role":""}"#)
            try await server.done("refresh_service", #"{"service_name":"bank"}"#)
            try await server.done("remove_service", #"{"service_name":"bank"}"#)
        }
    }

    @Test("a query is percent-decoded, a body outranks it, and repetitions are refused", arguments: Engine.available)
    func query(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("bank", method: "Bearer")
            try await server.authorize("ü 1&2", "bank", "t")
            let token = #"{"token":"t","method_authorization":"Bearer"}"#
            try await server.send("GET", "/token?service_name=bank&user_id=%C3%BC%201%262").expect(token)
            try await server.send("GET", "/token?service_name=bank&user_id=u&more=1").expectProblem(
                401,
                Self.unauthorized
            )
            try await server.send(
                "GET",
                "/token?service_name=none&user_id=u",
                #"{"service_name":"bank","user_id":"ü 1&2"}"#
            ).expect(token)
            try await server.send("GET", "/token?service_name=bank&user_id=u&user_id=v").expectProblem(
                400,
                "the query parameter user_id is given twice"
            )
            try await server.send("GET", "/token?service_name=bank&user_id=a%00b").expectProblem(
                400,
                "user_id must not contain control characters"
            )
            try await server.send("GET", "/token").expectProblem(400, "the request has no body: send a JSON object")
        }
    }
}
