DROP INDEX services_next_read;
ALTER TABLE services DROP COLUMN next_read;
ALTER TABLE services DROP COLUMN failures;
ALTER TABLE services DROP COLUMN last_error;
ALTER TABLE services DROP COLUMN last_seen;
ALTER TABLE services DROP COLUMN transport;
