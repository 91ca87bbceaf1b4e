-- Paying back: refunds that the shop pays through a node itself.

-- Read by the refund command alone: this macaroon can spend.
ALTER TABLE node ADD COLUMN payment_macaroon_file TEXT;

CREATE TABLE refund (
    payment_hash BLOB NOT NULL PRIMARY KEY CHECK (length(payment_hash) = 32),  -- of the buyer's invoice: paid once
    order_id     BLOB NOT NULL REFERENCES purchase_order (id),
    node_id      BLOB NOT NULL REFERENCES node (id),        -- the node that pays
    bolt11       TEXT NOT NULL,
    amount       INTEGER NOT NULL CHECK (amount > 0),
    fee_limit    INTEGER NOT NULL CHECK (fee_limit >= 0),
    fee          INTEGER,                                   -- what the route cost, once paid
    state        TEXT NOT NULL CHECK (state IN ('intended', 'succeeded', 'failed')),
    created_at   INTEGER NOT NULL,
    modified_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- While what became of one is not known, no other is begun.
CREATE UNIQUE INDEX refund_open ON refund (order_id) WHERE state = 'intended';
