-- phase: expand
-- How fresh what is known of a service is. next_read is when the service is to be read again, and the lease of whoever
-- reads it: an instance takes a service by moving it into the future.

ALTER TABLE services
    ADD COLUMN transport  VARCHAR(32) NOT NULL DEFAULT 'streamable_http',
    ADD COLUMN last_seen  BIGINT NULL,
    ADD COLUMN last_error VARCHAR(1024) NULL,
    ADD COLUMN failures   BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN next_read  BIGINT NOT NULL DEFAULT 0,
    ALGORITHM=INSTANT;

CREATE INDEX services_next_read ON services (next_read);
