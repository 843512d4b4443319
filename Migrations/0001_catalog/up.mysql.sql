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
