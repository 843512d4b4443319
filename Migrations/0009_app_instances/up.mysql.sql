-- phase: expand
-- The servers that run, so that nothing is removed which one of them still uses. schema_level is the latest migration that
-- the program knows, seen_at the database's time of its last sign of life.

CREATE TABLE app_instances (
    id           CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name         VARCHAR(255) NOT NULL,
    app_version  VARCHAR(64) NOT NULL,
    schema_level INT NOT NULL,
    started_at   BIGINT NOT NULL,
    seen_at      BIGINT NOT NULL,
    PRIMARY KEY (id),
    KEY app_instances_seen_at (seen_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
