-- Every kind of node can pay refunds; each is switched on by itself. Until now a payment macaroon alone did that.
ALTER TABLE node ADD COLUMN pays_refunds INTEGER NOT NULL DEFAULT 0 CHECK (pays_refunds IN (0, 1));
UPDATE node SET pays_refunds = 1 WHERE payment_macaroon_file IS NOT NULL;
