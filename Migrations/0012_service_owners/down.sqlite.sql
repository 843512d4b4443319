ALTER TABLE services DROP COLUMN owner;
