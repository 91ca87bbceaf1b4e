-- What a host may have: a forward stands only where the host was told of the product. From here on `shown_at` is the first
-- time that a poll returned the product (or the push told of it) as P, and is gone once the host has reported H.
UPDATE product SET shown_at = NULL WHERE status IN ('I', 'H', 'Z', 'D');
ALTER TABLE product ADD COLUMN suspending_since INTEGER;    -- last change to [S], while in [S]
UPDATE product SET suspending_since = modified_at WHERE status = 'S';
CREATE INDEX product_suspending ON product (suspending_since) WHERE status = 'S';

ALTER TABLE host ADD COLUMN alive_since INTEGER;            -- NULL while it does not check in
ALTER TABLE host ADD COLUMN unswept_since INTEGER;          -- forwards may stand on it that are not in this database
ALTER TABLE host ADD COLUMN late_secs INTEGER NOT NULL DEFAULT 360 CHECK (late_secs >= 60);
-- A token that was replaced works until the new one has been used, for a day at most.
ALTER TABLE host ADD COLUMN former_token_hash BLOB CHECK (length(former_token_hash) = 32);
ALTER TABLE host ADD COLUMN token_replaced_at INTEGER;
CREATE UNIQUE INDEX host_by_former_token ON host (former_token_hash) WHERE former_token_hash IS NOT NULL;

-- Table port: a port at which something answers that is not in this database is set aside. Its product_id is the host's
-- own id then.

-- Seconds from the payment to the delivery, where its buyer's software has given up before.
ALTER TABLE purchase_order ADD COLUMN late_secs INTEGER;
