-- Since when a node can't be used, says that it has not caught up with the chain, or makes no invoices: a node that is
-- only restarted, or a moment behind after a block, is nobody's business. NULL while it is not so.
ALTER TABLE node ADD COLUMN dead_since INTEGER;
ALTER TABLE node ADD COLUMN unsynced_since INTEGER;
ALTER TABLE node ADD COLUMN failing_since INTEGER;

-- Payments that are held: few, and asked for with each order.
CREATE INDEX invoice_held_by_node ON invoice (node_id)
    WHERE held_at IS NOT NULL AND state IN ('held', 'settling', 'cancelling');
