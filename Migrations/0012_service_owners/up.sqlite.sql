-- phase: expand
-- Who has added a service, and may change it; NULL when only administrators may.

ALTER TABLE services ADD COLUMN owner TEXT NULL;
