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
