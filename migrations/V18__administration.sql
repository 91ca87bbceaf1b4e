-- V18
-- What those who run the shop look for: lists, sums by day, runs of jobs.

-- A host that is drained takes no new orders; what it has sold goes on and can be extended.
ALTER TABLE host ADD COLUMN is_draining INTEGER NOT NULL DEFAULT 0 CHECK (is_draining IN (0, 1));

-- Lists of a host's or an operator's things in any state, newest first: each state of each host is a run of rowids, and
-- a new row touches the end of one.
CREATE INDEX product_in_state ON product (host_id, status);
CREATE INDEX order_in_state ON purchase_order (host_id, status);
-- What ends next at a host.
CREATE INDEX product_ending ON product (host_id, suspend_after) WHERE status = 'A' AND suspend_after IS NOT NULL;
-- What was paid for is found by what it leads to. Orders that nobody pays are not written to these.
CREATE INDEX product_by_target ON product (target) WHERE target IS NOT NULL AND status NOT IN ('I', 'Z');
CREATE INDEX product_by_alias ON product (alias COLLATE NOCASE) WHERE alias IS NOT NULL AND status NOT IN ('I', 'Z');
CREATE INDEX product_by_key ON product (public_key) WHERE public_key IS NOT NULL AND status NOT IN ('I', 'Z');
CREATE INDEX product_by_comment ON product (comment COLLATE NOCASE)
    WHERE comment IS NOT NULL AND status NOT IN ('I', 'Z');
CREATE INDEX product_by_port ON product (port) WHERE target IS NOT NULL AND status NOT IN ('I', 'Z');
CREATE INDEX refund_by_order ON refund (order_id, created_at);

-- The change log of one kind of thing, but for orders and products (most of it is about these), and of one person.
CREATE INDEX audit_log_by_noun ON audit_log (noun) WHERE noun_seq IS NULL;
CREATE INDEX audit_log_by_person ON audit_log (actor)
    WHERE actor >= 'cli' AND actor < 'clj' OR actor >= 'operator:' AND actor < 'operator;';

-- Sums by day (UTC, days since 1970) and host, kept by the triggers below whatever way an amount changed. `fiat` and
-- `fiat_refunded` are hundredths of a cent of `currency`, at the rate that was frozen with the invoice; where none was,
-- the currency is ''.
CREATE TABLE day_total (
    day           INTEGER NOT NULL,
    host_id       BLOB NOT NULL REFERENCES host (id),
    currency      TEXT NOT NULL,
    sold          INTEGER NOT NULL DEFAULT 0,   -- first purchases that were paid
    extended      INTEGER NOT NULL DEFAULT 0,   -- extensions that were paid
    received      INTEGER NOT NULL DEFAULT 0,   -- msat
    fiat          INTEGER NOT NULL DEFAULT 0,
    refunded      INTEGER NOT NULL DEFAULT 0,   -- msat
    fiat_refunded INTEGER NOT NULL DEFAULT 0,
    fees          INTEGER NOT NULL DEFAULT 0,   -- msat that refunds cost on their way
    PRIMARY KEY (day, host_id, currency)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER invoice_was_paid AFTER UPDATE OF state, received ON invoice
WHEN new.state = 'paid' AND (old.state <> 'paid' OR new.received IS NOT old.received) BEGIN
    INSERT INTO day_total (day, host_id, currency, sold, extended, received, fiat)
    SELECT coalesce(CASE WHEN old.state <> 'paid' THEN new.paid_at END, new.modified_at) / 86400000, o.host_id,
        coalesce(new.tax_currency, new.info_currency, ''),
        old.state <> 'paid' AND o.kind = 'first', old.state <> 'paid' AND o.kind = 'extension',
        coalesce(new.received, 0) - iif(old.state = 'paid', coalesce(old.received, 0), 0),
        CAST((coalesce(new.received, 0) - iif(old.state = 'paid', coalesce(old.received, 0), 0))
            * 1.0 * coalesce(new.tax_rate_cents, new.info_rate_cents, 0) / 1e9 AS INTEGER)
    FROM purchase_order o WHERE o.seq = new.seq
    ON CONFLICT (day, host_id, currency) DO UPDATE SET sold = sold + excluded.sold,
        extended = extended + excluded.extended, received = received + excluded.received, fiat = fiat + excluded.fiat;
END;

CREATE TRIGGER order_was_refunded AFTER UPDATE OF refunded ON purchase_order
WHEN new.refunded <> old.refunded BEGIN
    INSERT INTO day_total (day, host_id, currency, refunded, fiat_refunded)
    SELECT new.modified_at / 86400000, new.host_id, coalesce(v.tax_currency, v.info_currency, ''),
        new.refunded - old.refunded,
        CAST((new.refunded - old.refunded) * 1.0 * coalesce(v.tax_rate_cents, v.info_rate_cents, 0) / 1e9 AS INTEGER)
    FROM invoice v WHERE v.seq = new.seq
    ON CONFLICT (day, host_id, currency) DO UPDATE SET refunded = refunded + excluded.refunded,
        fiat_refunded = fiat_refunded + excluded.fiat_refunded;
END;

CREATE TRIGGER refund_cost_a_fee AFTER UPDATE OF fee ON refund
WHEN new.fee IS NOT NULL AND old.fee IS NULL BEGIN
    INSERT INTO day_total (day, host_id, currency, fees)
    SELECT new.modified_at / 86400000, o.host_id, coalesce(v.tax_currency, v.info_currency, ''), new.fee
    FROM purchase_order o JOIN invoice v ON v.seq = o.seq WHERE o.id = new.order_id
    ON CONFLICT (day, host_id, currency) DO UPDATE SET fees = fees + excluded.fees;
END;

-- What was before: payments and refunds that are known; what was paid back by hand counts when its order last changed.
INSERT INTO day_total (day, host_id, currency, sold, extended, received, fiat)
SELECT coalesce(v.paid_at, v.modified_at) / 86400000, o.host_id, coalesce(v.tax_currency, v.info_currency, ''),
    sum(o.kind = 'first'), sum(o.kind = 'extension'), sum(coalesce(v.received, 0)),
    sum(CAST(coalesce(v.received, 0) * 1.0 * coalesce(v.tax_rate_cents, v.info_rate_cents, 0) / 1e9 AS INTEGER))
FROM invoice v JOIN purchase_order o ON o.seq = v.seq WHERE v.state = 'paid' GROUP BY 1, 2, 3;

INSERT INTO day_total (day, host_id, currency, refunded, fiat_refunded)
SELECT o.modified_at / 86400000, o.host_id, coalesce(v.tax_currency, v.info_currency, ''), sum(o.refunded),
    sum(CAST(o.refunded * 1.0 * coalesce(v.tax_rate_cents, v.info_rate_cents, 0) / 1e9 AS INTEGER))
FROM purchase_order o JOIN invoice v ON v.seq = o.seq WHERE o.refunded > 0 GROUP BY 1, 2, 3
ON CONFLICT (day, host_id, currency) DO UPDATE SET refunded = refunded + excluded.refunded,
    fiat_refunded = fiat_refunded + excluded.fiat_refunded;

INSERT INTO day_total (day, host_id, currency, fees)
SELECT r.modified_at / 86400000, o.host_id, coalesce(v.tax_currency, v.info_currency, ''), sum(r.fee)
FROM refund r JOIN purchase_order o ON o.id = r.order_id JOIN invoice v ON v.seq = o.seq
WHERE r.fee IS NOT NULL GROUP BY 1, 2, 3
ON CONFLICT (day, host_id, currency) DO UPDATE SET fees = fees + excluded.fees;

-- Time and bandwidth that an operator gave for nothing.
CREATE TABLE gift (
    id         INTEGER PRIMARY KEY,
    product_id BLOB NOT NULL REFERENCES product (id),
    secs       INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    given_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX gift_by_product ON gift (product_id);

-- When a host came and went, as the job that watches hosts has seen it; thirty days of it.
CREATE TABLE host_presence (
    id       INTEGER PRIMARY KEY,
    host_id  BLOB NOT NULL REFERENCES host (id),
    at       INTEGER NOT NULL,
    is_alive INTEGER NOT NULL CHECK (is_alive IN (0, 1))
) STRICT;
CREATE INDEX host_presence_by_host ON host_presence (host_id, at);

-- Runs of jobs, thirty days of them. Runs that ended alike are one row: `runs` of them, from the first to the last.
CREATE TABLE job_history (
    id           INTEGER PRIMARY KEY,
    name         TEXT NOT NULL,
    first_at     INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    runs         INTEGER NOT NULL CHECK (runs > 0),
    longest_ms   INTEGER NOT NULL,
    has_failed   INTEGER NOT NULL CHECK (has_failed IN (0, 1)),
    outcome      TEXT NOT NULL
) STRICT;
CREATE INDEX job_history_by_name ON job_history (name, id);
CREATE INDEX job_history_by_time ON job_history (last_at);
ALTER TABLE job_run ADD COLUMN paused_at INTEGER;   -- while the operator has it wait
