internal import DBDriver

extension MCPRegistry {
    /// All users, oldest first.
    ///
    /// - Throws: `unavailable`
    public func users() async throws(RegistryError) -> [User] {
        try await read { try UserTable.all($0) }
    }

    /// A part of all users, in the order of their ids.
    ///
    /// - Throws: `invalid` for a cursor that was never told, `unavailable`
    public func users(_ page: PageRequest) async throws(RegistryError) -> Page<User> {
        let last = try page.last(UserID.init(rawValue:))
        let found = try await read { try UserTable.page(after: last, limit: page.limit + 1, $0) }
        return Page(found, limit: page.limit, by: \.id.rawValue)
    }

    /// A user's role. A user that was never seen before is registered, without a role.
    ///
    /// - Throws: `forbidden` for a user that the caller does not act for, `unavailable`
    public func role(of user: UserID, by principal: Principal) async throws(RegistryError) -> RoleName? {
        try principal.requireActing(for: user)
        if let known = try await userReads.value(of: user) { return known.role }
        try await register(user, role: nil, by: principal)
        return nil
    }

    /// Registers a user, and gives it a role if one is named. A user that is there already keeps what is not named.
    ///
    /// - Throws: `notFound` for the role, and then nothing is stored; `unavailable`
    public func register(_ user: UserID, role: RoleName?, by principal: Principal) async throws(RegistryError) {
        try await change(.registerUser, Self.target(user, role), by: principal) { session, time in
            if let role, try !RoleTable.hold(role, session) { throw Self.noRole(role) }
            try UserTable.insert(user, at: time, session)
            if let role { _ = try UserTable.setRole(role, of: user, at: time, session) }
        }
    }

    /// Gives a user a role in place of any other.
    ///
    /// - Throws: `notFound` for the user or the role, `unavailable`
    public func assign(_ role: RoleName, to user: UserID, by principal: Principal) async throws(RegistryError) {
        try await change(.assignRole, Self.target(user, role), by: principal) { session, time in
            try Self.require(user, role, session)
            _ = try UserTable.setRole(role, of: user, at: time, session)
        }
    }

    /// Takes a role away from a user.
    ///
    /// - Throws: `notFound` for the user or the role, `conflict` when the user has another role or none, `unavailable`
    public func unassign(_ role: RoleName, from user: UserID, by principal: Principal) async throws(RegistryError) {
        try await change(.unassignRole, Self.target(user, role), by: principal) { session, time in
            try Self.require(user, role, session)
            guard try UserTable.unsetRole(role, of: user, at: time, session) else {
                throw RegistryError(.conflict, "User \(user) does not have the role '\(role)'")
            }
        }
    }

    private static func require(_ user: UserID, _ role: RoleName, _ session: Session) throws {
        guard try UserTable.find(user, session) != nil else {
            throw RegistryError(.notFound, "User \(user) does not exist")
        }
        guard try RoleTable.hold(role, session) else { throw roleDoesNotExist(role) }
    }

    private static func target(_ user: UserID, _ role: RoleName?) -> String {
        "user '\(user)'" + (role.map { ", role '\($0)'" } ?? "")
    }
}
