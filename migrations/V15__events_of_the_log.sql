-- What a rule looks for in the change log is said in a column of its own; the words are for people.
ALTER TABLE audit_log ADD COLUMN event TEXT;

DROP TRIGGER audit_log_no_update;
UPDATE audit_log SET event = 'suspended' WHERE noun = 'product' AND change LIKE 'A->S%';
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN
    SELECT RAISE(ABORT, 'the change log is append-only');
END;
