internal import Crypto
internal import DBDriver
internal import Logging

extension MCPRegistry {
    /// Looks whether a request that has a key came before. The answer is to be given under
    /// ``IdempotentRequest/current``, by ``perform(_:)``.
    ///
    /// - Parameters:
    ///   - key: the caller's name for the request.
    ///   - request: what is asked for: equal bytes ask for the same.
    ///   - principal: the caller, whose own the key is.
    /// - Returns: the request, with the first answer when it came before.
    /// - Throws: `conflict` when the key was another request's, `unavailable`
    public func idempotentRequest(
        _ key: IdempotencyKey,
        for request: [UInt8],
        by principal: Principal
    ) async throws(RegistryError) -> IdempotentRequest {
        let key = Array(key.text.utf8)
        let id = SHA256.hexadecimal(of: [Array(principal.name.utf8), key])
        // The key is stored nowhere: without it nobody can try out what the request may have said, such as a token.
        let digest = SHA256.hexadecimal(of: [key, request])
        let earlier = try await read { try IdempotencyTable.outcome(of: id, asking: digest, $0) }
        return IdempotentRequest(id: id, requestDigest: digest, earlier: earlier)
    }

    /// Answers a request. A failure that is the request's own, and changed nothing, is kept under its key and told again when it
    /// comes again; one that may pass is not.
    ///
    /// - Parameter answer: answers the request; not called for one that failed before.
    /// - Returns: the answer.
    /// - Throws: whatever `answer` throws, or has thrown when the request came before
    public func perform<T: Sendable>(_ answer: () async throws -> T) async throws -> T {
        guard let request = IdempotentRequest.current, database.configuration.isExactlyOnce else {
            return try await answer()
        }
        if let earlier = request.earlier, let code = earlier.failure { throw RegistryError(code, earlier.answer) }
        do {
            return try await answer()
        } catch let error as RegistryError where error.isLasting && !request.isRepeated {
            // The same request may have been answered meanwhile: then that is the answer.
            guard let first = await kept(error, of: request) else { throw error }
            return try await IdempotentRequest.$current.withValue(request.answered(by: first)) {
                try await perform(answer)
            }
        }
    }

    /// Keeps a failure, unless the request has another answer already.
    ///
    /// - Returns: the other answer.
    private func kept(_ failure: RegistryError, of request: IdempotentRequest) async -> IdempotentRequest.Outcome? {
        do throws(RegistryError) {
            let found = try await note { session, _ in
                try IdempotencyTable.keep(failure, of: request, session)
                return try IdempotencyTable.outcome(of: request.id, asking: request.requestDigest, session)
            }
            return found?.failure == failure.code && found?.answer == failure.message ? nil : found
        } catch {
            logger.warning(
                "the answer to a request with an Idempotency-Key could not be kept",
                metadata: ["reason": "\(error.message)", "detail": "\(error.detail ?? "")"]
            )
            return nil
        }
    }

    /// What another request under the same key, which was faster, has returned.
    func value<T: Codable & Sendable>(of request: IdempotentRequest) async throws(RegistryError) -> T {
        let found = try await read {
            try IdempotencyTable.outcome(of: request.id, asking: request.requestDigest, $0)
        }
        guard let found else {
            throw RegistryError(.unavailable, "the same request is being answered, please try again")
        }
        request.replay.note()
        return try IdempotentRequest.value(of: found)
    }
}

extension RegistryError {
    /// Whether the same request would fail the same way as long as nobody changes anything.
    fileprivate var isLasting: Bool {
        switch code {
        case _ where isPassing: false
        case .invalid, .notFound, .conflict: true
        case .unauthenticated, .forbidden, .upstream, .unavailable, .keyUnavailable, .internal: false
        }
    }
}
