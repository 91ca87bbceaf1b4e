-- Uses ports of a host, spread over all of them as drawing leaves them: for each a bridge that runs, with its paid order. What is to be
-- filled stands in the temporary table `fill (host, ports, now, target)`.

CREATE TEMP TABLE bridge AS
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 65535)
SELECT fill.*, 10000 + i * 7919 % 55536 AS port, randomblob(16) AS product, randomblob(32) AS hash
FROM n, fill WHERE i < ports;

INSERT INTO product (id, kind, host_id, status, port, placed, target, duration_secs, grace_secs, price_extension,
    bandwidth_initial, bandwidth_remaining, suspend_after, created_at, modified_at)
SELECT product, 'tor_bridge', host, 'A', port, 1, target, 86400, 600, 20000, 1073741824, 1073741824,
    now + 864000000, now, now FROM bridge;

INSERT INTO port (ip, port, range_id, product_id)
SELECT h.ip, b.port, r.id, b.product
FROM bridge b JOIN host h ON h.id = b.host JOIN port_range r ON r.host_id = b.host;

INSERT INTO purchase_order (id, product_seq, host_id, kind, status, price, delivery, created_at, modified_at)
SELECT randomblob(16), p.seq, b.host, 'first', 'P', 25000, 'delivered', now, now FROM bridge b JOIN product p ON p.id = b.product;

INSERT INTO invoice (seq, state, node_id, payment_hash, is_hold, payment_request, amount, received, expiry_secs,
    made_at, expires_at, paid_at, created_at, modified_at)
SELECT o.seq, 'paid', (SELECT id FROM node), hash, 0, hex(zeroblob(130)), 25000, 25000, 900,
    now, now + 900000, now, now, now
FROM bridge b JOIN product p ON p.id = b.product JOIN purchase_order o ON o.product_seq = p.seq;

INSERT INTO invoice_attempt (seq, number, payment_hash, node_id, is_hold, outcome, created_at)
SELECT seq, 0, payment_hash, node_id, 0, 'made', created_at FROM invoice;

INSERT INTO audit_log (at, actor, noun, noun_id, noun_seq, change)
SELECT o.created_at, 'shop', 'order', '', o.seq, w.change
FROM purchase_order o, (SELECT 'ordered' AS change
    UNION ALL SELECT 'invoice initial->open; I->T, delivery none, owed 0'
    UNION ALL SELECT 'invoice open->paid; T->P, delivery awaiting, owed 0') w;

DROP TABLE bridge;
DROP TABLE fill;
