DROP INDEX audit_log_chain;
ALTER TABLE audit_log DROP COLUMN outcome;
ALTER TABLE audit_log DROP COLUMN request_id;
ALTER TABLE audit_log DROP COLUMN chain;
ALTER TABLE audit_log DROP COLUMN position;
ALTER TABLE audit_log DROP COLUMN digest;
DROP TABLE audit_chains;
