-- phase: expand
-- All definitions of tools that have changed, as they came.

CREATE TABLE tool_definitions (
    id            BIGINT NOT NULL AUTO_INCREMENT,
    tool_id       BIGINT NOT NULL,
    sha256        BINARY(32) NOT NULL,
    title         MEDIUMTEXT NULL,
    description   MEDIUMTEXT NOT NULL,
    input_schema  MEDIUMTEXT NOT NULL,
    output_schema MEDIUMTEXT NULL,
    annotations   MEDIUMTEXT NULL,
    icons         MEDIUMTEXT NULL,
    recorded_at   BIGINT NOT NULL,
    approved_at   BIGINT NULL,
    approved_by   VARCHAR(255) NULL,
    PRIMARY KEY (id),
    KEY tool_definitions_tool (tool_id, id),
    CONSTRAINT tool_definitions_tool FOREIGN KEY (tool_id) REFERENCES tools (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
