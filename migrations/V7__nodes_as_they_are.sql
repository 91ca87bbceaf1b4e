-- The node's running number of an invoice: comparisons begin at the oldest that is open, not with all that a node
-- ever made.
ALTER TABLE invoice_attempt ADD COLUMN add_index INTEGER;

-- How often a node has been seen to count its settlements anew: what was heard in one counting moves no cursor of the
-- next.
ALTER TABLE node ADD COLUMN counting INTEGER NOT NULL DEFAULT 0;

-- Whether an earlier call may have been carried out although no answer came.
ALTER TABLE effect ADD COLUMN is_uncertain INTEGER NOT NULL DEFAULT 0 CHECK (is_uncertain IN (0, 1));
