// swift-format-ignore-file
// Made by Scripts/embed-migrations from the .sql files: change those.

enum EmbeddedFiles {
    static let all: [(path: String, text: String)] = [
(path: "0001_catalog/down.mysql.sql", text: ##"""
DROP TABLE catalog_revision;
DROP TABLE tool_roles;
DROP TABLE roles;
DROP TABLE tools;
DROP TABLE services;

"""##),
(path: "0001_catalog/down.sqlite.sql", text: ##"""
DROP TABLE catalog_revision;
DROP TABLE tool_roles;
DROP TABLE roles;
DROP TABLE tools;
DROP TABLE services;

"""##),
(path: "0001_catalog/up.mysql.sql", text: ##"""
-- phase: expand
-- Services, the tools they offer, the roles that may use them, and the revision of it all.

CREATE TABLE services (
    id                     CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name                   VARCHAR(255) NOT NULL,
    endpoint               VARCHAR(2048) NOT NULL,
    endpoint_sha256        BINARY(32) NOT NULL,
    description            MEDIUMTEXT NOT NULL,
    requires_authorization BOOLEAN NOT NULL,
    method_authorization   VARCHAR(32) NOT NULL,
    status                 VARCHAR(32) NOT NULL,
    created_at             BIGINT NOT NULL,
    updated_at             BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY services_name (name),
    UNIQUE KEY services_endpoint (endpoint_sha256),
    KEY services_created_at (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE tools (
    id            BIGINT NOT NULL AUTO_INCREMENT,
    service_id    CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name          VARCHAR(255) NOT NULL,
    title         MEDIUMTEXT NULL,
    description   MEDIUMTEXT NOT NULL,
    input_schema  MEDIUMTEXT NOT NULL,
    output_schema MEDIUMTEXT NULL,
    annotations   MEDIUMTEXT NULL,
    position      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY tools_service_name (service_id, name),
    CONSTRAINT tools_service FOREIGN KEY (service_id) REFERENCES services (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE roles (
    name                  VARCHAR(255) NOT NULL,
    default_system_prompt MEDIUMTEXT NOT NULL,
    created_at            BIGINT NOT NULL,
    updated_at            BIGINT NOT NULL,
    PRIMARY KEY (name),
    KEY roles_created_at (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE tool_roles (
    tool_id    BIGINT NOT NULL,
    role_name  VARCHAR(255) NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tool_id, role_name),
    KEY tool_roles_role (role_name),
    CONSTRAINT tool_roles_tool FOREIGN KEY (tool_id) REFERENCES tools (id) ON DELETE CASCADE,
    CONSTRAINT tool_roles_role FOREIGN KEY (role_name) REFERENCES roles (name) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE catalog_revision (
    id       TINYINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT catalog_revision_single CHECK (id = 1)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT INTO catalog_revision (id, revision) VALUES (1, 0);

"""##),
(path: "0001_catalog/up.sqlite.sql", text: ##"""
-- phase: expand
-- Services, the tools they offer, the roles that may use them, and the revision of it all.

CREATE TABLE services (
    id                     TEXT NOT NULL PRIMARY KEY,
    name                   TEXT NOT NULL UNIQUE,
    endpoint               TEXT NOT NULL,
    endpoint_sha256        BLOB NOT NULL UNIQUE,
    description            TEXT NOT NULL,
    requires_authorization INTEGER NOT NULL CHECK (requires_authorization IN (0, 1)),
    method_authorization   TEXT NOT NULL,
    status                 TEXT NOT NULL,
    created_at             INTEGER NOT NULL,
    updated_at             INTEGER NOT NULL
) STRICT;

CREATE INDEX services_created_at ON services (created_at);

CREATE TABLE tools (
    id            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    service_id    TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    title         TEXT NULL,
    description   TEXT NOT NULL,
    input_schema  TEXT NOT NULL,
    output_schema TEXT NULL,
    annotations   TEXT NULL,
    position      INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    UNIQUE (service_id, name)
) STRICT;

CREATE TABLE roles (
    name                  TEXT NOT NULL PRIMARY KEY,
    default_system_prompt TEXT NOT NULL,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL
) STRICT;

CREATE INDEX roles_created_at ON roles (created_at);

CREATE TABLE tool_roles (
    tool_id    INTEGER NOT NULL REFERENCES tools (id) ON DELETE CASCADE,
    role_name  TEXT NOT NULL REFERENCES roles (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tool_id, role_name)
) STRICT;

CREATE INDEX tool_roles_role ON tool_roles (role_name);

CREATE TABLE catalog_revision (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL
) STRICT;

INSERT INTO catalog_revision (id, revision) VALUES (1, 0);

"""##),
(path: "0002_users/down.mysql.sql", text: ##"""
DROP TABLE users;

"""##),
(path: "0002_users/down.sqlite.sql", text: ##"""
DROP TABLE users;

"""##),
(path: "0002_users/up.mysql.sql", text: ##"""
-- phase: expand
-- Users as agents name them, each with at most one role.

CREATE TABLE users (
    user_id    VARCHAR(255) NOT NULL,
    role_name  VARCHAR(255) NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (user_id),
    KEY users_role (role_name),
    KEY users_created_at (created_at),
    CONSTRAINT users_role FOREIGN KEY (role_name) REFERENCES roles (name) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

"""##),
(path: "0002_users/up.sqlite.sql", text: ##"""
-- phase: expand
-- Users as agents name them, each with at most one role.

CREATE TABLE users (
    user_id    TEXT NOT NULL PRIMARY KEY,
    role_name  TEXT NULL REFERENCES roles (name) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX users_role ON users (role_name);
CREATE INDEX users_created_at ON users (created_at);

"""##),
(path: "0003_credentials/down.mysql.sql", text: ##"""
DROP TABLE encryption_keys;
DROP TABLE discovery_credentials;
DROP TABLE user_tokens;

"""##),
(path: "0003_credentials/down.sqlite.sql", text: ##"""
DROP TABLE encryption_keys;
DROP TABLE discovery_credentials;
DROP TABLE user_tokens;

"""##),
(path: "0003_credentials/up.mysql.sql", text: ##"""
-- phase: expand
-- Encrypted tokens: what a user gave for a service, and what the registry itself sends to read a service's tools.
-- key_id repeats the envelope's own, so that the keys still in use can be counted.

CREATE TABLE user_tokens (
    service_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id    VARCHAR(255) NOT NULL,
    key_id     BIGINT NOT NULL,
    envelope   MEDIUMBLOB NOT NULL,
    rev        BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (service_id, user_id),
    KEY user_tokens_user (user_id),
    KEY user_tokens_key (key_id),
    CONSTRAINT user_tokens_service FOREIGN KEY (service_id) REFERENCES services (id) ON DELETE CASCADE,
    CONSTRAINT user_tokens_user FOREIGN KEY (user_id) REFERENCES users (user_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE discovery_credentials (
    service_id           CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    method_authorization VARCHAR(32) NOT NULL,
    key_id               BIGINT NOT NULL,
    envelope             MEDIUMBLOB NOT NULL,
    rev                  BIGINT NOT NULL,
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL,
    PRIMARY KEY (service_id),
    KEY discovery_credentials_key (key_id),
    CONSTRAINT discovery_credentials_service FOREIGN KEY (service_id) REFERENCES services (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Which key each id stands for, by a value derived from it: two instances with different keys under one id would make
-- each other's tokens unreadable.
CREATE TABLE encryption_keys (
    id          BIGINT NOT NULL,
    check_value VARBINARY(16) NOT NULL,
    state       VARCHAR(32) NOT NULL,
    first_seen  BIGINT NOT NULL,
    retired_at  BIGINT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

"""##),
(path: "0003_credentials/up.sqlite.sql", text: ##"""
-- phase: expand
-- Encrypted tokens: what a user gave for a service, and what the registry itself sends to read a service's tools.
-- key_id repeats the envelope's own, so that the keys still in use can be counted.

CREATE TABLE user_tokens (
    service_id TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    key_id     INTEGER NOT NULL,
    envelope   BLOB NOT NULL,
    rev        INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (service_id, user_id)
) STRICT;

CREATE INDEX user_tokens_user ON user_tokens (user_id);
CREATE INDEX user_tokens_key ON user_tokens (key_id);

CREATE TABLE discovery_credentials (
    service_id           TEXT NOT NULL PRIMARY KEY REFERENCES services (id) ON DELETE CASCADE,
    method_authorization TEXT NOT NULL,
    key_id               INTEGER NOT NULL,
    envelope             BLOB NOT NULL,
    rev                  INTEGER NOT NULL,
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL
) STRICT;

CREATE INDEX discovery_credentials_key ON discovery_credentials (key_id);

-- Which key each id stands for, by a value derived from it: two instances with different keys under one id would make
-- each other's tokens unreadable.
CREATE TABLE encryption_keys (
    id          INTEGER NOT NULL PRIMARY KEY,
    check_value BLOB NOT NULL,
    state       TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    retired_at  INTEGER NULL
) STRICT;

"""##),
(path: "0004_audit/down.mysql.sql", text: ##"""
DROP TABLE audit_log;

"""##),
(path: "0004_audit/down.sqlite.sql", text: ##"""
DROP TABLE audit_log;

"""##),
(path: "0004_audit/up.mysql.sql", text: ##"""
-- phase: expand
-- One row for each change, written in the change's own transaction under the operation's id: so a change whose COMMIT
-- was cut off can be looked up, and is never made twice.

CREATE TABLE audit_log (
    operation_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    at           BIGINT NOT NULL,
    actor        VARCHAR(255) NOT NULL,
    action       VARCHAR(64) NOT NULL,
    target       VARCHAR(1024) NOT NULL,
    PRIMARY KEY (operation_id),
    KEY audit_log_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

"""##),
(path: "0004_audit/up.sqlite.sql", text: ##"""
-- phase: expand
-- One row for each change, written in the change's own transaction under the operation's id: so a change whose COMMIT
-- was cut off can be looked up, and is never made twice.

CREATE TABLE audit_log (
    operation_id TEXT NOT NULL PRIMARY KEY,
    at           INTEGER NOT NULL,
    actor        TEXT NOT NULL,
    action       TEXT NOT NULL,
    target       TEXT NOT NULL
) STRICT;

CREATE INDEX audit_log_at ON audit_log (at);

"""##),
    ]
}
