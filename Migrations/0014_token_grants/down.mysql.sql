DROP TABLE token_grants;
