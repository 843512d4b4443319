DROP INDEX audit_log_chain ON audit_log;
ALTER TABLE audit_log
    DROP COLUMN outcome, DROP COLUMN request_id, DROP COLUMN chain, DROP COLUMN position, DROP COLUMN digest;
DROP TABLE audit_chains;
