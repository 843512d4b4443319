public import Logging
internal import Synchronization

/// When, and where, it is written down that a token was told.
public enum ReleaseAudit: String, Sendable, CaseIterable {
    /// Before the token is told: no token leaves without its row.
    case before
    /// Right afterwards, so that nobody waits for it. Rows that were not written yet when the process dies are lost.
    case after
    /// As a line of the log, and with no row: where the logs of the servers are kept as the audit trail. Lines that were not
    /// written yet when the process dies are lost, and those that nobody takes.
    case log
}

extension ReleaseAudit {
    /// What the lines of ``log`` are written at.
    public static let logLevel = Logger.Level.notice
}

extension AuditEntry {
    /// As the log tells it.
    fileprivate var metadata: Logger.Metadata {
        [
            "operation_id": .string(id), "actor": .string(actor), "action": .string(action),
            "target": .string(target), "outcome": .string(outcome.rawValue), "request_id": .string(requestID ?? "-"),
        ]
    }
}

/// Rows about tokens that were told already.
final class AuditTail: Sendable {
    /// Rows that may wait at most: 10,000. Beyond that callers wait for theirs, as with ``ReleaseAudit/before``.
    static let rowsMax = 10_000

    private struct State {
        var rows = 0
        var whenEmpty: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Writes a row when its turn comes.
    ///
    /// - Returns: false when too many wait.
    func write(_ entry: AuditEntry, by writer: Batcher<AuditEntry, Void>, logger: Logger) -> Bool {
        let hasRoom = state.withLock { state in
            guard state.rows < Self.rowsMax else { return false }
            state.rows += 1
            return true
        }
        guard hasRoom else { return false }
        // Detached: neither the request's deadline nor its end counts.
        Task.detached { [self] in
            do throws(RegistryError) {
                try await writer.value(of: entry)
            } catch {
                var metadata = entry.metadata
                metadata["detail"] = .string(error.detail ?? error.message)
                logger.error("a row of the audit log could not be written", metadata: metadata)
            }
            done()
        }
        return true
    }

    private func done() {
        let waiting = state.withLock { state in
            state.rows -= 1
            guard state.rows == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.whenEmpty = [] }
            return state.whenEmpty
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits until none waits.
    func finish() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.rows > 0 { state.whenEmpty.append(continuation) }
                return state.rows == 0
            }
            if isEmpty { continuation.resume() }
        }
    }
}

extension MCPRegistry {
    /// Writes down that a token is told.
    func note(release entry: AuditEntry) async throws(RegistryError) {
        switch releaseAudit {
        case .log: return logger.log(level: ReleaseAudit.logLevel, "audit", metadata: entry.metadata)
        case .after where auditTail.write(entry, by: auditWriter, logger: logger): return
        case .before, .after: try await auditWriter.value(of: entry)
        }
    }

    /// Waits until what was put off is written: at the end of the process.
    public func finishAudit() async {
        await auditTail.finish()
    }
}
