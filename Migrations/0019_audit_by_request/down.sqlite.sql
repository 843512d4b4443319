DROP INDEX audit_log_request;
