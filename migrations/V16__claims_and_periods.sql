-- What buyers ask to be paid back by themselves: for each order that owed them something the latest request.
CREATE TABLE refund_claim (
    order_id     BLOB NOT NULL PRIMARY KEY REFERENCES purchase_order (id),
    payment_hash BLOB NOT NULL CHECK (length(payment_hash) = 32),
    bolt11       TEXT NOT NULL,
    names_amount INTEGER NOT NULL CHECK (names_amount IN (0, 1)),   -- whether the request itself says how much
    amount       INTEGER NOT NULL CHECK (amount > 0),               -- what was owed
    fee_limit    INTEGER NOT NULL CHECK (fee_limit >= 0),           -- the most that the route may cost
    expires_at   INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('open', 'waiting', 'failed', 'paid')),
    failures     INTEGER NOT NULL,                                  -- payments for this order that came to nothing
    next_try_at  INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    modified_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refund_claim_open ON refund_claim (next_try_at) WHERE state = 'open';
-- How much was paid back lately.
CREATE INDEX refund_by_time ON refund (created_at);

-- How many periods one order is for.
ALTER TABLE purchase_order ADD COLUMN periods INTEGER NOT NULL DEFAULT 1 CHECK (periods >= 1);
ALTER TABLE host ADD COLUMN max_periods INTEGER NOT NULL DEFAULT 1 CHECK (max_periods >= 1);
-- A text of which the invoice carries the hash alone, in place of its memo (LUD-06); NULL for every other.
ALTER TABLE invoice ADD COLUMN described_by TEXT;
-- Whom to tell of abuse.
ALTER TABLE host ADD COLUMN abuse_contact TEXT NOT NULL DEFAULT '';
