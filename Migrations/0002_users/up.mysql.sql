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
