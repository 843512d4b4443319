internal import DBDriver
internal import Registry
internal import Synchronization

/// An answer that can be given again.
protocol CatalogAnswer: Sendable {
    /// About how much memory it takes, in bytes.
    var byteCount: Int { get }
}

/// Keeps answers about the catalogue, encoded, as long as they are right: each use is checked against the catalogue's revision,
/// read from the database after the request came (in one read for all requests that come at the same time).
///
/// An answer is kept under the revision that was current before it was built. Should the catalogue change in between, the
/// answer is newer than its revision, which is never current again then.
final class CatalogCache<Answer: CatalogAnswer>: Sendable {
    /// What is asked.
    struct Question: Hashable, Sendable {
        private let list: List
        /// In bytes: names that only look the same are two names.
        private let name: [UInt8]

        /// - Parameters:
        ///   - list: which list.
        ///   - name: whose list; empty when there is one only.
        init(_ list: List, of name: String = "") {
            self.list = list
            self.name = Array(name.utf8)
        }
    }

    /// What is kept.
    enum List: Hashable, Sendable {
        case services
        case toolsOfService
        case toolsOfRole
        case promptOfRole
    }

    private struct Entry {
        let revision: Int64
        let answer: Answer
        var lastUse: Int
    }

    private struct Build {
        let revision: Int64
        let task: Task<Result<Answer, RegistryError>, Never>
    }

    private struct State {
        var entries: [Question: Entry] = [:]
        var byteCount = 0
        var uses = 0
        /// What is being built: whoever asks the same at the same revision waits for it.
        var builds: [Question: Build] = [:]
    }

    /// Memory of all answers together: 32 MiB. What was not used longest makes room.
    static var byteCountMax: Int { 32 * 1_048_576 }
    /// Answers that are kept at most.
    static var answersMax: Int { 1_000 }

    private let registry: MCPRegistry
    private let state = Mutex(State())

    init(_ registry: MCPRegistry) {
        self.registry = registry
    }

    /// The answer to a question.
    ///
    /// - Parameters:
    ///   - question: the question.
    ///   - build: reads the catalogue and encodes the answer.
    /// - Returns: the answer.
    /// - Throws: `unavailable`; whatever `build` throws
    func answer(
        to question: Question,
        build: @escaping @Sendable () async throws(RegistryError) -> Answer
    ) async throws(RegistryError) -> Answer {
        let revision = try await registry.catalogRevision()
        let (known, building) = state.withLock { state -> (Answer?, Task<Result<Answer, RegistryError>, Never>?) in
            if let entry = state.entries[question], entry.revision == revision {
                state.uses += 1
                state.entries[question]?.lastUse = state.uses
                return (entry.answer, nil)
            }
            if let under = state.builds[question], under.revision == revision { return (nil, under.task) }
            let task = begin(question, revision, build)
            state.builds[question] = Build(revision: revision, task: task)
            return (nil, task)
        }
        if let known { return known }
        guard let building else { throw RegistryError(.internal, "internal error", detail: "nothing was built") }
        return try await building.value.get()
    }

    /// Builds an answer on its own: those who wait for it may go. It has until the deadline of the first of them.
    private func begin(
        _ question: Question,
        _ revision: Int64,
        _ build: @escaping @Sendable () async throws(RegistryError) -> Answer
    ) -> Task<Result<Answer, RegistryError>, Never> {
        let deadline = RequestDeadline.current
        return Task.detached { [self] in
            let result = await RequestDeadline.$current.withValue(deadline) {
                do throws(RegistryError) {
                    return Result<Answer, RegistryError>.success(try await build())
                } catch {
                    return .failure(error)
                }
            }
            state.withLock { state in
                if state.builds[question]?.revision == revision { state.builds[question] = nil }
                if case .success(let answer) = result { keep(answer, to: question, revision, &state) }
            }
            return result
        }
    }

    private func keep(_ answer: Answer, to question: Question, _ revision: Int64, _ state: inout State) {
        remove(question, &state)
        guard answer.byteCount <= Self.byteCountMax / 2 else { return }
        state.uses += 1
        state.entries[question] = Entry(revision: revision, answer: answer, lastUse: state.uses)
        state.byteCount += answer.byteCount
        while state.byteCount > Self.byteCountMax || state.entries.count > Self.answersMax,
            let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            remove(oldest.key, &state)
        }
    }

    private func remove(_ question: Question, _ state: inout State) {
        guard let old = state.entries.removeValue(forKey: question) else { return }
        state.byteCount -= old.answer.byteCount
    }
}
