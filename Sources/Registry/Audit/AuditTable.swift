internal import DBDriver

/// What was done, as the audit log names it.
enum AuditAction: String, SQLConvertible {
    case addService = "service.add"
    case refreshService = "service.refresh"
    case updateService = "service.update"
    case removeService = "service.remove"
    case serviceFailed = "service.failed"
    case approveToolChanges = "tool.approve_changes"
    case withdrawDefinition = "tool.withdraw_definition"
    case createRole = "role.create"
    case removeRole = "role.remove"
    case setSystemPrompt = "role.set_system_prompt"
    case attachRole = "role.attach"
    case detachRole = "role.detach"
    case registerUser = "user.register"
    case assignRole = "user.assign_role"
    case unassignRole = "user.remove_role"
    case storeToken = "token.store"
    case releaseToken = "token.release"
    case revokeToken = "token.revoke"
    case grantToken = "token.grant"
    case withdrawToken = "token.withdraw_grant"
    case storeDiscoveryCredential = "discovery_credential.store"
    case importOriginal = "import"
    case promoteKey = "key.promote"
    case rewrapKey = "key.rewrap"
    case retireKey = "key.retire"
    case compromisedKey = "key.compromised"
    case createAPIKey = "api_key.create"
    case revokeAPIKey = "api_key.revoke"

    /// Whether it changes what the lists of services, tools and roles answer.
    var changesCatalog: Bool {
        switch self {
        case .addService, .refreshService, .updateService, .removeService, .serviceFailed, .approveToolChanges,
            .withdrawDefinition, .createRole, .removeRole, .setSystemPrompt, .attachRole, .detachRole, .importOriginal:
            true
        case .registerUser, .assignRole, .unassignRole, .storeToken, .releaseToken, .revokeToken, .grantToken,
            .withdrawToken, .storeDiscoveryCredential, .createAPIKey, .revokeAPIKey, .promoteKey,
            .rewrapKey, .retireKey, .compromisedKey:
            false
        }
    }
}

/// The audit log: one row for each change, in the change's own transaction.
///
/// The operation's id is the primary key: it proves after a lost connection whether the change was committed, and keeps
/// it from being made twice.
enum AuditTable {
    static func insert(
        _ operationID: String,
        _ action: AuditAction,
        target: String,
        by principal: Principal,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        try session.execute(
            """
            INSERT INTO audit_log (operation_id, at, actor, action, target)
            VALUES (\(operationID), \(time), \(principal.name), \(action), \(target))
            """
        )
    }

    static func contains(_ operationID: String, _ session: Session) throws(DatabaseError) -> Bool {
        try session.row("SELECT operation_id FROM audit_log WHERE operation_id = \(operationID)") != nil
    }
}
