-- How far a node's clock was ahead of ours (negative: behind) when it last made an invoice. Seconds.
ALTER TABLE node ADD COLUMN clock_ahead_secs INTEGER;
ALTER TABLE node ADD COLUMN clock_read_at INTEGER;
-- What the operator is to know about it, while the two are apart.
ALTER TABLE node ADD COLUMN clock_note TEXT;
