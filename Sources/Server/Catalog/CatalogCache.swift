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
    }

    private struct Build {
        let revision: Int64
        /// That of the first who asked.
        let deadline: ContinuousClock.Instant?
        let task: Task<Result<Answer, RegistryError>, Never>

        /// Whether its time is over, and that of somebody else is not.
        func isOverdue(for other: ContinuousClock.Instant?) -> Bool {
            guard let deadline, deadline <= .now + .milliseconds(250) else { return false }
            return other.map { $0 > max(deadline, .now) } ?? true
        }
    }

    private struct State {
        /// What was used since these were empty, and what was in the time before. When these are full, the latter are forgotten.
        var recent: [Question: Entry] = [:]
        var earlier: [Question: Entry] = [:]
        var recentByteCount = 0
        /// What is being built: whoever asks the same at the same revision waits for it.
        var builds: [Question: Build] = [:]
    }

    /// Memory of all answers together: 32 MiB. What was not used lately makes room.
    static var byteCountMax: Int { 32 * 1_048_576 }
    /// Answers that are kept at most.
    static var answersMax: Int { 16_384 }

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
        while true {
            let revision = try await registry.catalogRevision()
            switch known(question, revision, build) {
            case .answer(let answer): return answer
            case .build(let building):
                let result = await building.task.value
                // That the first who asked had no time left is nothing to those who have more.
                if case .failure = result, building.isOverdue(for: RequestDeadline.current) { continue }
                return try result.get()
            }
        }
    }

    private enum Known {
        case answer(Answer)
        case build(Build)
    }

    private func known(
        _ question: Question,
        _ revision: Int64,
        _ build: @escaping @Sendable () async throws(RegistryError) -> Answer
    ) -> Known {
        state.withLock { state in
            if let entry = state.recent[question], entry.revision == revision { return .answer(entry.answer) }
            if let entry = state.earlier[question], entry.revision == revision {
                keep(entry, of: question, &state)
                return .answer(entry.answer)
            }
            if let under = state.builds[question], under.revision == revision { return .build(under) }
            let begun = begin(question, revision, build)
            state.builds[question] = begun
            return .build(begun)
        }
    }

    /// Builds an answer on its own: those who wait for it may go. It has until the deadline of the first of them.
    private func begin(
        _ question: Question,
        _ revision: Int64,
        _ build: @escaping @Sendable () async throws(RegistryError) -> Answer
    ) -> Build {
        let deadline = RequestDeadline.current
        let task = Task.detached { [self] in
            let result = await RequestDeadline.$current.withValue(deadline) {
                do throws(RegistryError) {
                    return Result<Answer, RegistryError>.success(try await build())
                } catch {
                    return .failure(error)
                }
            }
            state.withLock { state in
                if state.builds[question]?.revision == revision { state.builds[question] = nil }
                if case .success(let answer) = result {
                    keep(Entry(revision: revision, answer: answer), of: question, &state)
                }
            }
            return result
        }
        return Build(revision: revision, deadline: deadline, task: task)
    }

    private func keep(_ entry: Entry, of question: Question, _ state: inout State) {
        let byteCount = entry.answer.byteCount
        guard byteCount <= Self.byteCountMax / 2 else { return }
        state.earlier[question] = nil
        if let old = state.recent.removeValue(forKey: question) { state.recentByteCount -= old.answer.byteCount }
        if state.recentByteCount + byteCount > Self.byteCountMax / 2 || state.recent.count >= Self.answersMax / 2 {
            (state.earlier, state.recent, state.recentByteCount) = (state.recent, [:], 0)
        }
        state.recent[question] = entry
        state.recentByteCount += byteCount
    }
}
