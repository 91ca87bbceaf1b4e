-- Orders that nobody paid are deleted some days after they ended: what a stranger can order for nothing must not
-- grow for ever.

-- The one line that is left of each. This table is the one that goes on growing, so a line is short: the last eight
-- bytes of the order's id (62 random bits, enough to know it by) as a number, and the day of the order (since 1970).
CREATE TABLE unpaid_order (
    id_end     INTEGER PRIMARY KEY,
    ordered_on INTEGER NOT NULL
) STRICT;

-- Those that ended without a payment, or whose payment went back; the first are deleted.
CREATE INDEX order_rejected ON purchase_order (modified_at) WHERE status = 'R';

-- Append-only but for what is about an order or a product that no longer exists.
DROP TRIGGER audit_log_no_delete;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
WHEN old.noun_seq IS NULL
    OR old.noun = 'order' AND EXISTS (SELECT 1 FROM purchase_order WHERE seq = old.noun_seq)
    OR old.noun = 'product' AND EXISTS (SELECT 1 FROM product WHERE seq = old.noun_seq)
BEGIN
    SELECT RAISE(ABORT, 'the change log is append-only');
END;
