DROP TABLE catalog_revision;
DROP TABLE tool_roles;
DROP TABLE roles;
DROP TABLE tools;
DROP TABLE services;
