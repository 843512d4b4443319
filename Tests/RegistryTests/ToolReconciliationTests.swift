import DBDriver
import Testing

@testable import Registry

@Suite("What a reading changes about the stored tools")
struct ToolReconciliationTests {
    private static let day = Duration.seconds(86_400)
    private static let start = Timestamp(microseconds: 1_000_000_000_000)
    private static let now = start + day

    private static func policy(_ changes: CatalogPolicy.ToolChanges, grace: Duration = day) -> CatalogPolicy {
        var policy = CatalogPolicy()
        policy.toolChanges = changes
        policy.removedToolGrace = grace
        return policy
    }

    private static func stored(
        _ id: Int64,
        _ tool: OfferedTool,
        at position: Int = 0,
        changedAt: Timestamp? = nil,
        goneAt: Timestamp? = nil
    ) -> StoredTool {
        StoredTool(
            id: ToolID(rawValue: id),
            definition: tool,
            position: position,
            changedAt: changedAt,
            goneAt: goneAt,
            createdAt: start
        )
    }

    private static func reconcile(
        _ stored: [StoredTool],
        _ offered: [OfferedTool],
        _ policy: CatalogPolicy = policy(.accept),
        history: [RecordedDefinition] = []
    ) -> ToolReconciliation {
        let histories = stored.first.map { [$0.id: history] } ?? [:]
        return ToolReconciliation(stored: stored, history: histories, offered: offered, policy: policy, at: now)
    }

    private static func recorded(_ id: Int64, _ tool: OfferedTool, isApproved: Bool) -> RecordedDefinition {
        RecordedDefinition(id: id, sha256: tool.sha256, isApproved: isApproved)
    }

    @Test("the same tools in the same order change nothing", arguments: CatalogPolicy.ToolChanges.allCases)
    func nothing(changes: CatalogPolicy.ToolChanges) {
        let stored = [Self.stored(1, .named("a")), Self.stored(2, .named("b"), at: 1)]
        #expect(Self.reconcile(stored, [.named("a"), .named("b")], Self.policy(changes)).isEmpty)
    }

    @Test("another order moves rows and is no change of a definition")
    func order() {
        let stored = [Self.stored(1, .named("a")), Self.stored(2, .named("b"), at: 1)]
        let changes = Self.reconcile(stored, [.named("b"), .named("a")])
        #expect(changes.updated.map(\.position) == [0, 1] && changes.recorded.isEmpty)
        #expect(changes.updated.allSatisfy { $0.changedAt == nil })
    }

    @Test("a first change records the old definition as approved and the new one as not")
    func firstChange() {
        let changes = Self.reconcile([Self.stored(1, .named("a", "old"))], [.named("a", "new")])
        let old = NewDefinition(
            toolID: ToolID(rawValue: 1),
            definition: .named("a", "old"),
            recordedAt: Self.start,
            approvedAt: Self.start
        )
        let new = NewDefinition(
            toolID: ToolID(rawValue: 1),
            definition: .named("a", "new"),
            recordedAt: Self.now,
            approvedAt: nil
        )
        #expect(changes.recorded == [old, new])
        #expect(changes.updated == [Self.stored(1, .named("a", "new"), changedAt: Self.now)])
    }

    @Test("quarantine keeps what agents are told, and notes the change")
    func quarantine() {
        let changes = Self.reconcile(
            [Self.stored(1, .named("a", "old"))],
            [.named("a", "new")],
            Self.policy(.quarantine)
        )
        #expect(changes.updated == [Self.stored(1, .named("a", "old"), changedAt: Self.now)])
        #expect(changes.recorded.last?.definition.description == "new")
    }

    @Test("a further reading of an unapproved definition records nothing, and keeps the time of the change")
    func stillChanged() {
        let (old, new) = (OfferedTool.named("a", "old"), OfferedTool.named("a", "new"))
        let history = [Self.recorded(1, old, isApproved: true), Self.recorded(2, new, isApproved: false)]
        let waiting = [Self.stored(1, old, changedAt: Self.start)]
        #expect(Self.reconcile(waiting, [new], Self.policy(.quarantine), history: history).isEmpty)
        let accepted = Self.reconcile(waiting, [new], Self.policy(.accept), history: history)
        #expect(accepted.updated == [Self.stored(1, new, changedAt: Self.start)], "the policy has changed meanwhile")
        #expect(accepted.recorded.isEmpty)
    }

    @Test("going back to the approved definition ends the change", arguments: CatalogPolicy.ToolChanges.allCases)
    func back(changes: CatalogPolicy.ToolChanges) {
        let (old, new) = (OfferedTool.named("a", "old"), OfferedTool.named("a", "new"))
        let history = [Self.recorded(1, old, isApproved: true), Self.recorded(2, new, isApproved: false)]
        let result = Self.reconcile(
            [Self.stored(1, new, changedAt: Self.start)],
            [old],
            Self.policy(changes),
            history: history
        )
        #expect(result.updated == [Self.stored(1, old)])
        #expect(result.recorded.map(\.approvedAt) == [Self.now])
    }

    @Test("each part of a definition counts, and only its bytes do")
    func parts() {
        let old = OfferedTool(
            name: "a",
            title: "t",
            description: "caf\u{E9}",
            inputSchema: "{}",
            outputSchema: "{}",
            annotations: "{}",
            icons: "[]"
        )
        let edits: [(String, (inout OfferedTool) -> Void)] = [
            ("title", { $0.title = nil }), ("description", { $0.description = "cafe\u{301}" }),
            ("inputSchema", { $0.inputSchema = #"{"a":1}"# }), ("outputSchema", { $0.outputSchema = nil }),
            ("annotations", { $0.annotations = #"{"readOnlyHint":true}"# }), ("icons", { $0.icons = nil }),
        ]
        for (part, edit) in edits {
            var new = old
            edit(&new)
            #expect(new.differences(from: old) == [part])
            let changes = Self.reconcile([Self.stored(1, old)], [new])
            #expect(changes.updated.first?.definition.sha256 == new.sha256, "\(part)")
            #expect(changes.updated.first?.changedAt == Self.now, "\(part)")
        }
    }

    @Test("a new tool is open at once, or tells nothing but its name until it is approved")
    func added() {
        let tool = OfferedTool(name: "a", title: "A", description: "Says.", inputSchema: #"{"type":"object","x":1}"#)
        #expect(Self.reconcile([], [tool]).added == [.init(position: 0, definition: tool)])
        let silent = OfferedTool(name: "a", description: "", inputSchema: #"{"type":"object"}"#)
        let quarantined = Self.reconcile([], [tool], Self.policy(.quarantine))
        #expect(quarantined.added == [.init(position: 0, definition: silent, pending: tool)])
    }

    @Test("a tool that is gone is kept for the time of grace, and comes back as it was")
    func gone() {
        let tool = Self.stored(1, .named("a"))
        let missed = Self.stored(1, .named("a"), goneAt: Self.now)
        #expect(Self.reconcile([tool], []).updated == [missed])
        let recently = Self.stored(1, .named("a"), goneAt: Self.start + .milliseconds(1))
        #expect(Self.reconcile([recently], []).isEmpty)
        #expect(Self.reconcile([Self.stored(1, .named("a"), goneAt: Self.start)], []).expired == [tool.id])
        #expect(Self.reconcile([recently], [.named("a")]).updated == [tool])
    }

    @Test("the history of a tool that always changes stays bounded, and keeps what was approved")
    func bounded() {
        let approved = Self.recorded(1, .named("a", "0"), isApproved: true)
        let others = (2...ToolReconciliation.historyMax).map { id in
            Self.recorded(Int64(id), .named("a", "\(id)"), isApproved: false)
        }
        let stored = [Self.stored(1, .named("a", "50"), changedAt: Self.start)]
        let changes = Self.reconcile(stored, [.named("a", "new")], history: [approved] + others)
        #expect(changes.forgotten == [2] && changes.recorded.count == 1)
    }

    @Test("the history of a whole service stays bounded, and keeps what was approved and what is offered")
    func boundedTogether() {
        // Each tool has an approved definition, one that was approved before, and old ones that nobody has approved.
        let perTool = 10
        let ids = 1...Int64(ToolReconciliation.oldDefinitionsMax / (perTool - 2) + 1)
        let histories = Dictionary(
            uniqueKeysWithValues: ids.map { id in
                let definitions = (0..<Int64(perTool)).map { number in
                    Self.recorded(id * 100 + number, .named("t\(id)", "\(number)"), isApproved: number < 2)
                }
                return (ToolID(rawValue: id), definitions)
            }
        )
        let stored = ids.map { Self.stored($0, .named("t\($0)", "9"), at: Int($0) - 1, changedAt: Self.start) }
        let same = stored.map(\.definition)
        let reconcile = { (offered: [OfferedTool]) in
            ToolReconciliation(
                stored: stored,
                history: histories,
                offered: offered,
                policy: Self.policy(.accept),
                at: Self.now
            )
        }
        #expect(reconcile(same).isEmpty, "a reading without news forgets nothing")
        let changes = reconcile([.named("t1", "new")] + same.dropFirst())
        // One more is old now, the one that t1 offered before.
        let superfluous = ids.count * (perTool - 2) + 1 - ToolReconciliation.oldDefinitionsMax
        #expect(changes.forgotten == Array((Array(102...109) + Array(202...208)).prefix(superfluous)))
        #expect(changes.recorded.count == 1)
    }
}

@Suite("When services are read again")
struct RefreshScheduleTests {
    private static let now = Timestamp(microseconds: 0)

    private static func seconds(_ time: Timestamp) -> Int64 { time.microseconds / 1_000_000 }

    @Test("after a success: the interval, or the service's own word between five minutes and a day")
    func success() {
        var schedule = RefreshSchedule()
        let cases: [(Duration?, Int64)] = [
            (nil, 3_600), (.seconds(1_800), 1_800), (.zero, 300), (.seconds(299), 300), (.seconds(86_401), 86_400),
            (.seconds(Int64.max / 2), 86_400),
        ]
        for (timeToLive, expected) in cases {
            #expect(Self.seconds(schedule.next(after: Self.now, timeToLive: timeToLive, jitter: 1)) == expected)
        }
        schedule.interval = .seconds(10)
        #expect(Self.seconds(schedule.next(after: Self.now, timeToLive: .zero, jitter: 1)) == 10)
        #expect(Self.seconds(schedule.next(after: Self.now, timeToLive: nil, jitter: 1.1)) == 11)
    }

    @Test("after failures: a minute, then twice as long each time, up to the interval")
    func failures() {
        let schedule = RefreshSchedule()
        let waits = [1, 2, 3, 6, 7, 8, 1_000].map {
            Self.seconds(schedule.next(after: Self.now, failures: $0, jitter: 1))
        }
        #expect(waits == [60, 120, 240, 1_920, 3_600, 3_600, 3_600])
    }

    @Test("no two services stay in step")
    func jitter() {
        let schedule = RefreshSchedule()
        let times = (0..<100).map { _ in Self.seconds(schedule.next(after: Self.now, timeToLive: nil)) }
        #expect(times.allSatisfy { (3_240...3_960).contains($0) } && Set(times).count > 10)
    }
}
