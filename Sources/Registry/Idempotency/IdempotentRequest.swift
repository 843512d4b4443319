internal import FoundationEssentials
internal import Synchronization

/// A request that its caller has given an ``IdempotencyKey``, and what became of it when it came before.
public struct IdempotentRequest: Sendable {
    /// The request that the present task answers, when it has a key.
    @TaskLocal public static var current: IdempotentRequest?

    /// The caller and its key, as a digest.
    let id: String
    /// What is asked for, as a digest.
    let requestDigest: String
    /// How it was answered before; nil when it is new.
    let earlier: Outcome?

    /// Whether the answer is another request's, which came at the same time and was faster.
    let replay = Replay()

    /// Whether it came before, so that the first answer is given again.
    public var isRepeated: Bool { earlier != nil || replay.wasNoted }

    /// The same request, with the answer that it has got meanwhile.
    func answered(by outcome: Outcome) -> IdempotentRequest {
        replay.note()
        return IdempotentRequest(id: id, requestDigest: requestDigest, earlier: outcome)
    }

    /// What is only learnt while the request is answered.
    final class Replay: Sendable {
        private let state = Atomic(false)

        var wasNoted: Bool { state.load(ordering: .relaxed) }

        func note() { state.store(true, ordering: .relaxed) }
    }

    /// What a request led to.
    struct Outcome: Sendable {
        /// Of a change, its value as JSON; of a failure, its message.
        var answer: String
        /// The failure's code; nil for a change.
        var failure: RegistryError.Code?
    }

    /// What a change returned that was made before under the key.
    ///
    /// - Returns: nil when nothing was done yet.
    /// - Throws: the error that was answered; `conflict` when the value can't be read
    func earlierValue<T: Decodable>(_ type: T.Type = T.self) throws(RegistryError) -> T? {
        try earlier.map { outcome throws(RegistryError) in try Self.value(of: outcome) }
    }

    static func value<T: Decodable>(of outcome: Outcome) throws(RegistryError) -> T {
        if let code = outcome.failure { throw RegistryError(code, outcome.answer) }
        do {
            return try JSONDecoder().decode(T.self, from: Data(outcome.answer.utf8))
        } catch {
            throw RegistryError(
                .conflict,
                "this was done before under the same Idempotency-Key by another version of the server, "
                    + "and its answer can't be repeated",
                detail: "\(error)"
            )
        }
    }

    static func text(of value: some Encodable) throws -> String {
        String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    }
}

/// What a change returns that has nothing to tell.
struct Nothing: Codable, Sendable {}
