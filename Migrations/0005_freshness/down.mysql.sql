DROP INDEX services_next_read ON services;
ALTER TABLE services
    DROP COLUMN next_read,
    DROP COLUMN failures,
    DROP COLUMN last_error,
    DROP COLUMN last_seen,
    DROP COLUMN transport;
