-- phase: expand
-- Which callers may be given a user's token for a service, by their names in the audit log. A grant ends with its token.

CREATE TABLE token_grants (
    service_id TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    agent      TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (service_id, user_id, agent),
    FOREIGN KEY (service_id, user_id) REFERENCES user_tokens (service_id, user_id) ON DELETE CASCADE
) STRICT;
