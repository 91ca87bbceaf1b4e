-- The shop's whole data. Times are Unix milliseconds (UTC), amounts millisatoshi, ids 16-byte UUIDs.
-- Ids are random: an index over one is written to in many places, and the more the larger it is. So what
-- grows with the orders is tied together by `seq`, a running number that is never shown, and one id names
-- an order, its item and its invoice.
-- Migrations are add-only: this file never changes once released.

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE operator (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 150),
    role          TEXT NOT NULL CHECK (role IN ('administrator', 'operator')),
    password_hash TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    modified_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE node (
    id               BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    operator_id      INTEGER NOT NULL REFERENCES operator (id),
    kind             TEXT NOT NULL CHECK (kind IN ('lnd_grpc', 'lnd_rest', 'cln')),
    name             TEXT NOT NULL,
    host             TEXT NOT NULL,                 -- host name, IP address, or the socket's path (cln)
    port             INTEGER NOT NULL CHECK (port BETWEEN 0 AND 65535),
    certificate_file TEXT,                          -- NULL with no stored certificate: the system's roots
    certificate      BLOB,
    macaroon_file    TEXT,
    macaroon         BLOB,
    priority         INTEGER NOT NULL DEFAULT 0,    -- the lowest number is tried first
    is_enabled       INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
    allow_spending   INTEGER NOT NULL DEFAULT 0 CHECK (allow_spending IN (0, 1)),
    use_holds        INTEGER NOT NULL DEFAULT 1 CHECK (use_holds IN (0, 1)),
    is_alive         INTEGER NOT NULL DEFAULT 0 CHECK (is_alive IN (0, 1)),
    checked_at       INTEGER,
    last_error       TEXT,
    network          TEXT,
    pubkey           TEXT,
    info             TEXT,                          -- JSON: what the node last said of itself
    settle_index     INTEGER NOT NULL DEFAULT 0,    -- cursor of the settlement stream
    removed_at       INTEGER,                       -- a tombstone: old invoices still name it
    created_at       INTEGER NOT NULL,
    modified_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX node_by_operator ON node (operator_id, is_enabled, priority);

CREATE TABLE host (
    id                         BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    owner_id                   INTEGER NOT NULL REFERENCES operator (id),
    token_hash                 BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    ip                         TEXT NOT NULL,
    ip_sort                    BLOB NOT NULL,       -- 16 bytes, so that lists are in numeric order
    name                       TEXT NOT NULL,
    description                TEXT,
    is_enabled                 INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
    is_test_host               INTEGER NOT NULL DEFAULT 0 CHECK (is_test_host IN (0, 1)),
    is_testnet                 INTEGER NOT NULL DEFAULT 0 CHECK (is_testnet IN (0, 1)),
    offers_tor_bridges         INTEGER NOT NULL DEFAULT 0 CHECK (offers_tor_bridges IN (0, 1)),
    tor_bridge_duration        INTEGER NOT NULL DEFAULT 86400 CHECK (tor_bridge_duration >= 0),
    tor_bridge_price_initial   INTEGER NOT NULL DEFAULT 25000 CHECK (tor_bridge_price_initial >= 0),
    tor_bridge_price_extension INTEGER NOT NULL DEFAULT 20000 CHECK (tor_bridge_price_extension >= 0),
    offers_nostr_aliases       INTEGER NOT NULL DEFAULT 0 CHECK (offers_nostr_aliases IN (0, 1)),
    nostr_alias_port           INTEGER NOT NULL DEFAULT 80 CHECK (nostr_alias_port BETWEEN 1 AND 65535),
    nostr_alias_duration       INTEGER NOT NULL DEFAULT 2592000 CHECK (nostr_alias_duration >= 0),
    nostr_alias_price_initial  INTEGER NOT NULL DEFAULT 25000000 CHECK (nostr_alias_price_initial >= 0),
    nostr_alias_price_extension INTEGER NOT NULL DEFAULT 20000000 CHECK (nostr_alias_price_extension >= 0),
    offers_rssh_tunnels        INTEGER NOT NULL DEFAULT 0 CHECK (offers_rssh_tunnels IN (0, 1)),
    rssh_tunnel_price          INTEGER NOT NULL DEFAULT 1000 CHECK (rssh_tunnel_price >= 0),
    terms_of_service           TEXT NOT NULL DEFAULT '',
    terms_of_service_url       TEXT NOT NULL DEFAULT '',
    bridge_bandwidth_initial   INTEGER NOT NULL DEFAULT 1073741824 CHECK (bridge_bandwidth_initial >= 0),
    grace_secs                 INTEGER NOT NULL DEFAULT 600 CHECK (grace_secs >= 600),
    hold_limit_secs            INTEGER NOT NULL DEFAULT 90 CHECK (hold_limit_secs >= 60),
    use_holds                  INTEGER NOT NULL DEFAULT 1 CHECK (use_holds IN (0, 1)),
    ci_date                    INTEGER,
    ci_status                  INTEGER NOT NULL DEFAULT 0 CHECK (ci_status BETWEEN 0 AND 2),
    ci_message                 TEXT,
    deleted_at                 INTEGER,
    created_at                 INTEGER NOT NULL,
    modified_at                INTEGER NOT NULL
) STRICT;
CREATE INDEX host_by_ip ON host (ip);

CREATE TABLE port_range (
    id         INTEGER PRIMARY KEY,
    host_id    BLOB NOT NULL REFERENCES host (id),
    kind       TEXT NOT NULL CHECK (kind IN ('T', 'R')),    -- Tor bridges, reverse SSH tunnels
    first_port INTEGER NOT NULL CHECK (first_port BETWEEN 1 AND 65535),
    last_port  INTEGER NOT NULL CHECK (last_port BETWEEN first_port AND 65535),
    used       INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0)  -- kept by the triggers below
) STRICT;
CREATE INDEX port_range_by_host ON port_range (host_id, kind);

-- A port in use. Unique per public IP address, since several hosts can share one.
CREATE TABLE port (
    ip         TEXT NOT NULL,
    port       INTEGER NOT NULL,
    range_id   INTEGER REFERENCES port_range (id),  -- NULL once its range was taken from the host
    product_id BLOB NOT NULL,
    PRIMARY KEY (ip, port)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER port_taken AFTER INSERT ON port BEGIN
    UPDATE port_range SET used = used + 1 WHERE id = new.range_id;
END;
CREATE TRIGGER port_given_back AFTER DELETE ON port BEGIN
    UPDATE port_range SET used = used - 1 WHERE id = old.range_id;
END;

-- A Nostr alias in use: unique per public IP address, whatever its case.
CREATE TABLE alias_name (
    ip         TEXT NOT NULL,
    alias      TEXT NOT NULL COLLATE NOCASE,
    product_id BLOB NOT NULL,
    PRIMARY KEY (ip, alias)
) STRICT, WITHOUT ROWID;

CREATE TABLE product (
    seq                  INTEGER PRIMARY KEY,
    id                   BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    kind                 TEXT NOT NULL CHECK (kind IN ('tor_bridge', 'nostr_alias')),
    host_id              BLOB NOT NULL REFERENCES host (id),
    status               TEXT NOT NULL CHECK (status IN ('I', 'P', 'A', 'S', 'H', 'Z', 'D', 'F')),
    port                 INTEGER,
    placed               INTEGER NOT NULL CHECK (placed IN (0, 1)),  -- whether port (or alias) is reserved
    target               TEXT,
    alias                TEXT,
    public_key           TEXT,
    comment              TEXT,
    suspend_after        INTEGER,                   -- NULL: never
    duration_secs        INTEGER NOT NULL,          -- 0: unlimited; terms are frozen at purchase
    grace_secs           INTEGER NOT NULL,
    price_extension      INTEGER NOT NULL,
    bandwidth_initial    INTEGER NOT NULL,
    bandwidth_remaining  INTEGER NOT NULL,
    bandwidth_checked_at INTEGER,
    is_monitored         INTEGER NOT NULL DEFAULT 1 CHECK (is_monitored IN (0, 1)),
    is_killed            INTEGER NOT NULL DEFAULT 0 CHECK (is_killed IN (0, 1)),
    shown_at             INTEGER,                   -- first time visible to the host as [P]
    pending_since        INTEGER,                   -- last change to [P], while in [P]
    activated_at         INTEGER,                   -- first [P]->[A]
    suspended_at         INTEGER,                   -- last change to [H], while in [H]
    deleted_at           INTEGER,
    created_at           INTEGER NOT NULL,
    modified_at          INTEGER NOT NULL,
    CHECK ((kind = 'tor_bridge') = (target IS NOT NULL)),
    CHECK ((kind = 'nostr_alias') = (alias IS NOT NULL AND public_key IS NOT NULL))
) STRICT;
CREATE INDEX product_by_host ON product (host_id, kind, status, created_at) WHERE deleted_at IS NULL;
CREATE INDEX product_to_suspend ON product (suspend_after) WHERE status = 'A' AND suspend_after IS NOT NULL;
CREATE INDEX product_pending ON product (pending_since) WHERE status = 'P';
CREATE INDEX product_suspended ON product (suspended_at) WHERE status = 'H';

CREATE TABLE purchase_order (
    seq            INTEGER PRIMARY KEY,
    id             BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    product_seq    INTEGER NOT NULL REFERENCES product (seq),
    host_id        BLOB NOT NULL REFERENCES host (id),
    kind           TEXT NOT NULL CHECK (kind IN ('first', 'extension')),
    status         TEXT NOT NULL CHECK (status IN ('I', 'K', 'L', 'M', 'T', 'P', 'R', 'N', 'S')),
    message        TEXT,
    price          INTEGER NOT NULL CHECK (price >= 0),
    delivery       TEXT NOT NULL DEFAULT 'none' CHECK (delivery IN ('none', 'awaiting', 'delivered')),
    granted_secs   INTEGER NOT NULL DEFAULT 0,      -- time that this order added to the product
    granted_bytes  INTEGER NOT NULL DEFAULT 0,      -- bandwidth that this order added
    owed           INTEGER NOT NULL DEFAULT 0 CHECK (owed >= 0),
    refunded       INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0),   -- paid back so far
    created_at     INTEGER NOT NULL,
    modified_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX order_by_product ON purchase_order (product_seq, created_at);
CREATE INDEX order_to_refund ON purchase_order (created_at) WHERE status = 'N' OR owed > 0;
CREATE INDEX order_by_time ON purchase_order (created_at);

-- The one visible invoice of an order; its payment hash is that of one of its attempts.
CREATE TABLE invoice (
    seq             INTEGER PRIMARY KEY REFERENCES purchase_order (seq),
    state           TEXT NOT NULL CHECK (state IN
                        ('initial', 'open', 'held', 'settling', 'cancelling', 'paid', 'expired', 'void')),
    node_id         BLOB NOT NULL REFERENCES node (id),
    payment_hash    BLOB NOT NULL CHECK (length(payment_hash) = 32),
    is_hold         INTEGER NOT NULL CHECK (is_hold IN (0, 1)),
    payment_request TEXT,
    amount          INTEGER NOT NULL,
    received        INTEGER,
    expiry_secs     INTEGER NOT NULL,
    made_at         INTEGER,                        -- when the node made it
    expires_at      INTEGER,                        -- when it can no longer be paid
    held_at         INTEGER,                        -- when its payment was accepted
    paid_at         INTEGER,
    created_at      INTEGER NOT NULL,
    modified_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX invoice_to_close ON invoice (expires_at) WHERE state = 'open';
CREATE INDEX invoice_held ON invoice (held_at) WHERE state = 'held';
CREATE INDEX invoice_live_by_node ON invoice (node_id, is_hold)
    WHERE state IN ('initial', 'open', 'held', 'settling', 'cancelling');

-- Every payment hash that was ever given to a node, written before the node is asked.
CREATE TABLE invoice_attempt (
    seq          INTEGER NOT NULL REFERENCES invoice (seq),
    number       INTEGER NOT NULL,                  -- enters the derivation of the preimage
    payment_hash BLOB NOT NULL UNIQUE CHECK (length(payment_hash) = 32),
    node_id      BLOB NOT NULL REFERENCES node (id),
    is_hold      INTEGER NOT NULL CHECK (is_hold IN (0, 1)),
    outcome      TEXT NOT NULL CHECK (outcome IN ('intended', 'made', 'failed', 'abandoned', 'cancelled')),
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (seq, number)
) STRICT, WITHOUT ROWID;

-- The outbox: what the shop means to do to the world outside. A row is written in the transaction
-- that decides, and deleted in the one that records the result.
CREATE TABLE effect (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT NOT NULL CHECK (kind IN
                     ('make_invoice', 'cancel_invoice', 'settle_invoice', 'probe_target')),
    seq          INTEGER NOT NULL REFERENCES invoice (seq),
    payment_hash BLOB NOT NULL,
    node_id      BLOB NOT NULL REFERENCES node (id),
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_try_at  INTEGER NOT NULL,
    last_error   TEXT,
    created_at   INTEGER NOT NULL,
    UNIQUE (kind, payment_hash)
) STRICT;
CREATE INDEX effect_due ON effect (node_id, next_try_at);
CREATE INDEX effect_make ON effect (created_at) WHERE kind = 'make_invoice';

CREATE TABLE deny_entry (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('target', 'ip')),
    value       TEXT NOT NULL COLLATE NOCASE,
    status      TEXT NOT NULL,
    comment     TEXT NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    UNIQUE (kind, value)
) STRICT;

CREATE TABLE alert (
    id          INTEGER PRIMARY KEY,
    topic       TEXT NOT NULL,                      -- e.g. 'order_needs_refund'
    subject     TEXT NOT NULL,                      -- the id of what it is about, or ''
    severity    TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    text        TEXT NOT NULL,
    occurrences INTEGER NOT NULL DEFAULT 1,
    first_at    INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    closed_at   INTEGER
) STRICT;
CREATE UNIQUE INDEX alert_open ON alert (topic, subject) WHERE closed_at IS NULL;

-- Who changed what, when. Append-only, enforced here.
CREATE TABLE audit_log (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    actor  TEXT NOT NULL,                           -- 'shop', 'buyer', 'host:<id>', 'operator:<name>', 'cli', 'node:<id>'
    noun   TEXT NOT NULL,                           -- 'order' (with its invoice), 'product', 'host', 'node', …
    noun_id TEXT NOT NULL,
    noun_seq INTEGER,                               -- the seq of an order or a product: these are found by it
    change TEXT NOT NULL                            -- e.g. 'status I->T'
) STRICT;
CREATE INDEX audit_log_by_noun_id ON audit_log (noun_id) WHERE noun_seq IS NULL;
CREATE INDEX audit_log_by_noun_seq ON audit_log (noun, noun_seq) WHERE noun_seq IS NOT NULL;
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN
    SELECT RAISE(ABORT, 'the change log is append-only');
END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN
    SELECT RAISE(ABORT, 'the change log is append-only');
END;

-- A host's absence while a product was owed on it.
CREATE TABLE outage (
    id            INTEGER PRIMARY KEY,
    host_id       BLOB NOT NULL REFERENCES host (id),
    product_id    BLOB NOT NULL REFERENCES product (id),
    started_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    credited_secs INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX outage_open ON outage (product_id) WHERE ended_at IS NULL;
CREATE INDEX outage_by_host ON outage (host_id) WHERE ended_at IS NULL;

CREATE TABLE job_run (
    name        TEXT NOT NULL PRIMARY KEY,
    started_at  INTEGER,
    duration_ms INTEGER,
    outcome     TEXT,                               -- 'ok: …' or 'failed: …'
    next_at     INTEGER
) STRICT, WITHOUT ROWID;
