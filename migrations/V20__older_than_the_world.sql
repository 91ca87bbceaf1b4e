-- A database that came back older than the world is told by invoices that the shop's secret has made and it does not know.

-- The node's running number of the invoice up to which all that it has was read, so that each is looked at once.
ALTER TABLE node ADD COLUMN invoices_read INTEGER NOT NULL DEFAULT 0;

-- Those that were found: each tells its news once. Rows go after some days, when nothing shows them any more.
CREATE TABLE lost_invoice (
    payment_hash BLOB NOT NULL PRIMARY KEY,
    order_id     BLOB NOT NULL,
    node_id      BLOB NOT NULL,
    made_at      INTEGER NOT NULL,   -- by the node's clock
    found_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
