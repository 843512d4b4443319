extension Engine {
    /// The engines of this run that are reached over the network: MariaDB, or none.
    public static var servers: [Engine] {
        available.filter { $0 == .mariadb }
    }
}
