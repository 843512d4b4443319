-- phase: expand
-- How fresh what is known of a service is. next_read is when the service is to be read again, and the lease of whoever
-- reads it: an instance takes a service by moving it into the future.

ALTER TABLE services ADD COLUMN transport TEXT NOT NULL DEFAULT 'streamable_http';
ALTER TABLE services ADD COLUMN last_seen INTEGER NULL;
ALTER TABLE services ADD COLUMN last_error TEXT NULL;
ALTER TABLE services ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE services ADD COLUMN next_read INTEGER NOT NULL DEFAULT 0;

CREATE INDEX services_next_read ON services (next_read);
