-- The public key of the wallet that was asked to pay: no other one can tell that it did not.
ALTER TABLE refund ADD COLUMN node_pubkey TEXT;
CREATE INDEX refund_open_by_node ON refund (node_id) WHERE state = 'intended';
-- After a restore: what this node was paid is still to be looked through for orders that the backup does not have.
ALTER TABLE node ADD COLUMN history_due INTEGER NOT NULL DEFAULT 0 CHECK (history_due IN (0, 1));
