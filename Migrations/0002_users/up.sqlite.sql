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
