internal import DBDriver

/// Users with their roles, and their tokens.
extension ImportRun {
    mutating func carryUsers() async throws(RegistryError) {
        try await eachPage({ try OriginalTable.users(after: $0, $1, $2) }) { run, page async throws(RegistryError) in
            try await run.carry(page)
        }
    }

    mutating func carryTokens() async throws(RegistryError) {
        try await eachPage({ try OriginalTable.tokens(after: $0, $1, $2) }) { run, page async throws(RegistryError) in
            try await run.carry(page)
        }
    }

    private mutating func carry(_ page: [OriginalUser]) async throws(RegistryError) {
        var checked: [(row: Int64, id: UserID, role: RoleName?)] = []
        for user in page {
            do throws(RegistryError) {
                let id = try UserID(try user.id.text(UserID.label))
                checked.append((user.row, id, knownRole(of: user)))
            } catch {
                report.note(.user, user.row, "'\(user.id.shown)'", .refused(error.message))
                if user.roleRow != nil {
                    report.note(.userRole, user.row, shown(user), .refused("its user could not be brought over"))
                }
            }
        }
        let (wanted, isDryRun) = (checked, isDryRun)
        let plans = try await settle(page.words("users")) { session in
            let users = try ImportTable.users(wanted.map(\.id), session)
            let names = try ImportTable.roles(wanted.compactMap(\.role), session)
            return wanted.map { user -> UserPlan in
                let isHere = isDryRun || user.role.map { names.contains($0.key) } != false
                return UserPlan(user.role, roleIsHere: isHere, here: users[user.id.key])
            }
        } _: { plans, session, time in
            let new = zip(wanted, plans).filter { $1.user == .added }.map { user, plan in
                (id: user.id, role: plan.role == .added ? user.role : nil)
            }
            try ImportTable.insertUsers(new, at: time, session)
        }
        for (user, plan) in zip(wanted, plans) {
            report.note(.user, user.row, "'\(user.id)'", plan.user)
            guard let role = plan.role else { continue }
            let words = user.role.map { "role '\($0)'" } ?? "no role"
            report.note(.userRole, user.row, "user '\(user.id)', \(words)", role)
        }
        advance(.user, by: page.count)
    }

    /// A user's role, if it has one that is here; what is wrong with it is reported.
    private mutating func knownRole(of user: OriginalUser) -> RoleName? {
        guard let row = user.roleRow else { return nil }
        do throws(RegistryError) {
            return try role(row)
        } catch {
            report.note(.userRole, user.row, shown(user), .refused(error.message))
            return nil
        }
    }

    private func shown(_ user: OriginalUser) -> String {
        "user '\(user.id.shown)', role row \(user.roleRow ?? 0)"
    }

    private mutating func carry(_ page: [OriginalToken]) async throws(RegistryError) {
        var checked: [(row: Int64, shown: String, service: ServiceName, user: UserID, token: NewToken)] = []
        for token in page {
            do throws(RegistryError) {
                let (service, user) = try owner(of: token)
                let value = try NewToken(try token.token.text("token"))
                checked.append((token.row, token.shown, service, user, value))
            } catch {
                report.note(.token, token.row, token.shown, .refused(error.message))
            }
        }
        let (wanted, vault, isDryRun) = (checked, vault, isDryRun)
        let outcomes = try await settle(page.words("tokens")) { session in
            let services = try ImportTable.services(wanted.map(\.service), session)
            let users = try ImportTable.users(wanted.map(\.user), session)
            let tokens = try ImportTable.tokens(of: Array(services.values), wanted.map(\.user), session)
            return wanted.map { token -> ImportOutcome in
                guard let id = services[token.service.key] else {
                    return isDryRun ? .added : .refused(ImportReason.goneService)
                }
                guard isDryRun || users[token.user.key] != nil else {
                    return .refused("its user is not here")
                }
                guard let sealed = tokens[id]?[token.user.key] else { return .added }
                return Self.compare(token.token, sealed, .userToken(serviceID: id, token.user), vault)
            }
        } _: { outcomes, session, time in
            let services = try ImportTable.services(wanted.map(\.service), session)
            let new = try zip(wanted, outcomes).filter { $1 == .added }.compactMap { token, _ in
                try services[token.service.key].map { id in
                    let context = TokenContext.userToken(serviceID: id, token.user)
                    let sealed = try MCPRegistry.seal(token.token.secret, context, vault, session)
                    return (serviceID: id, user: token.user, sealed: sealed)
                }
            }
            try CredentialTable.insert(new, at: time, session)
        }
        for (token, outcome) in zip(wanted, outcomes) { report.note(.token, token.row, token.shown, outcome) }
        advance(.token, by: page.count)
    }

    private func owner(of token: OriginalToken) throws(RegistryError) -> (ServiceName, UserID) {
        guard token.isUserThere else {
            throw RegistryError(.invalid, "there is no user with the id \(token.userRow) in the original")
        }
        guard let row = token.serviceRow else {
            throw RegistryError(.invalid, "there is no service '\(token.serviceName.shown)' in the original")
        }
        guard let service = services[row] else { throw RegistryError(.invalid, ImportReason.service) }
        // The original's SQLite keeps the tokens of a removed service, and gives them to the next one of its name.
        guard !token.isOlderThanService else {
            throw RegistryError(.invalid, "it is older than its service, so it was stored for another one of that name")
        }
        guard let user = try? UserID(try token.user.text(UserID.label)) else {
            throw RegistryError(.invalid, "its user could not be brought over")
        }
        return (service, user)
    }

    private static func compare(
        _ token: NewToken,
        _ sealed: SealedToken,
        _ context: TokenContext,
        _ vault: TokenVault
    ) -> ImportOutcome {
        do throws(VaultError) {
            let here = try vault.open(sealed, context: context)
            return here == token.secret ? .present : .conflict("the user has another token for it here")
        } catch {
            return .conflict("there is a token here that can't be opened: \(error)")
        }
    }
}

/// What becomes of a user and its role.
private struct UserPlan: ImportStep {
    let user: ImportOutcome
    /// nil when there is nothing to say about a role.
    let role: ImportOutcome?

    var isAddition: Bool { user == .added }

    /// - Parameters:
    ///   - wanted: the role in the original.
    ///   - roleIsHere: whether there is such a role.
    ///   - here: the user's role here, if the user is here.
    init(_ wanted: RoleName?, roleIsHere: Bool, here: RoleName??) {
        guard let here else {
            user = .added
            role = wanted.map { _ in roleIsHere ? .added : .refused("the role was removed here meanwhile") }
            return
        }
        user = .present
        switch (wanted, here) {
        case (nil, nil): role = nil
        case (let wanted?, let here?) where wanted.key == here.key: role = .present
        case (_, let here?): role = .conflict("the user has the role '\(here)' here")
        case (_, nil): role = .conflict("the user has no role here")
        }
    }
}
