DROP INDEX audit_log_request ON audit_log;
