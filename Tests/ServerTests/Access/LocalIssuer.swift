import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import MCP
import Synchronization
import Testing

@testable import Server

/// An identity provider of a test's own, with real keys: what it publishes is set by the test.
final class LocalIssuer: Sendable {
    /// A key for ES256 (RFC 7518 §3.4).
    struct Key: Sendable {
        let id: String
        let secret = P256.Signing.PrivateKey()

        /// Its public half as a JWK (RFC 7517).
        var json: JSONObject {
            let point = secret.publicKey.rawRepresentation
            return [
                "kty": "EC", "crv": "P-256", "kid": .string(id), "x": .string(base64URL(point.prefix(32))),
                "y": .string(base64URL(point.suffix(32))),
            ]
        }

        /// A token with these claims, and these changes of the header.
        func token(_ claims: JSONObject, header changes: JSONObject = [:]) throws -> String {
            var header: JSONObject = ["alg": "ES256", "typ": "at+jwt", "kid": .string(id)]
            for member in changes.members { header[member.key] = member.value.isNull ? nil : member.value }
            let text =
                base64URL(JSONValue.object(header).text.utf8) + "." + base64URL(JSONValue.object(claims).text.utf8)
            return text + "." + base64URL(try secret.signature(for: Data(text.utf8)).rawRepresentation)
        }
    }

    private struct State {
        var origin = ""
        var keys: [JSONObject] = []
        var isDown = false
        var metadata: JSONObject = [:]
        var fetches = 0
    }

    private let state = Mutex(State())

    /// How often its keys were asked for.
    var fetches: Int { state.withLock { $0.fetches } }

    func begin(at origin: String, _ keys: [JSONObject]) {
        state.withLock { state in
            state.origin = origin
            state.keys = keys
        }
    }

    func publish(_ keys: [JSONObject]) { state.withLock { $0.keys = keys } }
    func goDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }
    /// Changes members of its metadata.
    func say(_ metadata: JSONObject) { state.withLock { $0.metadata = metadata } }

    func respond(to request: ReceivedRequest) -> Response {
        state.withLock { state in
            guard !state.isDown else { return Response(status: .serviceUnavailable) }
            switch request.path {
            case "/.well-known/openid-configuration":
                var metadata: JSONObject = [
                    "issuer": .string(state.origin), "jwks_uri": .string(state.origin + "/keys"),
                ]
                for member in state.metadata.members { metadata[member.key] = member.value }
                return .json(JSONValue.object(metadata).text)
            case "/keys":
                state.fetches += 1
                return .json(JSONValue.object(["keys": .array(state.keys.map(JSONValue.object))]).text)
            default:
                return Response(status: .notFound)
            }
        }
    }
}

/// RFC 4648 §5 without padding.
func base64URL(_ bytes: some Sequence<UInt8>) -> String {
    Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
}
