/// The migrator's own three tables.
///
/// - `schema_migrations`: one row for each version that was ever begun; its state now.
/// - `schema_migration_log`: append only, one row for each attempt and for each decision of an operator.
/// - `migration_lock`: one row, the lease that lets one run at a time migrate.
///
/// Times called `…_at` are ``Timestamp``s: in the lease by the database's clock, elsewhere by the clock of the run.
enum MigrationTables {
    static let names = ["schema_migrations", "schema_migration_log", "migration_lock"]

    /// How many of them are there; 0 on a database that was never migrated.
    static func count(in session: Session) throws(DatabaseError) -> Int {
        let sql: SQL =
            switch session.dialect {
            case .mysql:
                """
                SELECT COUNT(*) AS n FROM information_schema.tables
                WHERE table_schema = DATABASE() AND table_name IN \(list: names)
                """
            case .sqlite: "SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table' AND name IN \(list: names)"
            }
        return try session.row(sql)?.get("n") ?? 0
    }

    /// Whether all of them are there.
    static func areComplete(in session: Session) throws(DatabaseError) -> Bool {
        try count(in: session) == names.count
    }

    /// Makes what is missing. Any number of runs may do this at the same time: on a cluster `CREATE TABLE` is ordered among
    /// all nodes, and of several equal INSERTs one wins and the others change nothing.
    static func create(in session: Session) throws(DatabaseError) {
        if try count(in: session) < names.count {
            for table in session.dialect == .mysql ? mysql : sqlite { try session.execute(trustedText: table) }
        }
        if try session.row("SELECT id FROM migration_lock WHERE id = 1") == nil {
            try session.execute(
                """
                INSERT INTO migration_lock (id, token, acquired_at, expires_at) VALUES (1, 0, 0, 0)
                \(session.dialect.onConflict("id"))
                """
            )
        }
    }

    /// Brings tables that an older migrator made to their present form. Only whoever has the lease may do this.
    static func upgrade(in session: Session) throws(DatabaseError) {
        if try !haveMinApp(in: session) {
            try session.execute(trustedText: "ALTER TABLE schema_migrations ADD COLUMN min_app INT")
        }
    }

    /// Whether `schema_migrations` has the column `min_app`, which the first migrators did not know.
    static func haveMinApp(in session: Session) throws(DatabaseError) -> Bool {
        let sql: SQL =
            switch session.dialect {
            case .mysql:
                """
                SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE()
                AND table_name = 'schema_migrations' AND column_name = 'min_app'
                """
            case .sqlite: "SELECT name FROM pragma_table_info('schema_migrations') WHERE name = 'min_app'"
            }
        return try session.row(sql) != nil
    }

    private static let mysql = [
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
          version INT NOT NULL PRIMARY KEY,
          name VARCHAR(100) NOT NULL,
          dialect VARCHAR(16) NOT NULL,
          phase VARCHAR(16) NOT NULL,
          min_app INT,
          up_sha VARCHAR(128) NOT NULL,
          down_sha VARCHAR(128),
          direction VARCHAR(8) NOT NULL,
          state VARCHAR(16) NOT NULL,
          statement_done INT NOT NULL,
          statements INT NOT NULL,
          started_at BIGINT NOT NULL,
          finished_at BIGINT,
          ms BIGINT,
          app_version VARCHAR(64) NOT NULL,
          owner VARCHAR(64) NOT NULL,
          error_code INT,
          error_text TEXT
        ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
        """,
        """
        CREATE TABLE IF NOT EXISTS schema_migration_log (
          id VARCHAR(64) NOT NULL PRIMARY KEY,
          version INT NOT NULL,
          name VARCHAR(100) NOT NULL,
          action VARCHAR(16) NOT NULL,
          outcome VARCHAR(16) NOT NULL,
          dialect VARCHAR(16) NOT NULL,
          up_sha VARCHAR(128) NOT NULL,
          down_sha VARCHAR(128),
          statement_done INT NOT NULL,
          statements INT NOT NULL,
          started_at BIGINT NOT NULL,
          finished_at BIGINT NOT NULL,
          ms BIGINT NOT NULL,
          app_version VARCHAR(64) NOT NULL,
          owner VARCHAR(64) NOT NULL,
          holder VARCHAR(255) NOT NULL,
          error_code INT,
          error_text TEXT,
          note TEXT
        ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
        """,
        """
        CREATE TABLE IF NOT EXISTS migration_lock (
          id INT NOT NULL PRIMARY KEY,
          owner VARCHAR(64),
          holder VARCHAR(255),
          token BIGINT NOT NULL,
          acquired_at BIGINT NOT NULL,
          expires_at BIGINT NOT NULL
        ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
        """,
    ]

    private static let sqlite = [
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
          version INTEGER NOT NULL PRIMARY KEY,
          name TEXT NOT NULL,
          dialect TEXT NOT NULL,
          phase TEXT NOT NULL,
          min_app INT,
          up_sha TEXT NOT NULL,
          down_sha TEXT,
          direction TEXT NOT NULL,
          state TEXT NOT NULL,
          statement_done INTEGER NOT NULL,
          statements INTEGER NOT NULL,
          started_at INTEGER NOT NULL,
          finished_at INTEGER,
          ms INTEGER,
          app_version TEXT NOT NULL,
          owner TEXT NOT NULL,
          error_code INTEGER,
          error_text TEXT
        ) STRICT
        """,
        """
        CREATE TABLE IF NOT EXISTS schema_migration_log (
          id TEXT NOT NULL PRIMARY KEY,
          version INTEGER NOT NULL,
          name TEXT NOT NULL,
          action TEXT NOT NULL,
          outcome TEXT NOT NULL,
          dialect TEXT NOT NULL,
          up_sha TEXT NOT NULL,
          down_sha TEXT,
          statement_done INTEGER NOT NULL,
          statements INTEGER NOT NULL,
          started_at INTEGER NOT NULL,
          finished_at INTEGER NOT NULL,
          ms INTEGER NOT NULL,
          app_version TEXT NOT NULL,
          owner TEXT NOT NULL,
          holder TEXT NOT NULL,
          error_code INTEGER,
          error_text TEXT,
          note TEXT
        ) STRICT
        """,
        """
        CREATE TABLE IF NOT EXISTS migration_lock (
          id INTEGER NOT NULL PRIMARY KEY,
          owner TEXT,
          holder TEXT,
          token INTEGER NOT NULL,
          acquired_at INTEGER NOT NULL,
          expires_at INTEGER NOT NULL
        ) STRICT
        """,
    ]
}
