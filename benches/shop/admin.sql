-- A year of a large shop: 100,000 bridges on all its hosts, and 1,000,000 orders in the order of their times. The present stands in the
-- temporary table `present (now, target)`, in milliseconds.

INSERT INTO product (id, kind, host_id, status, port, placed, target, comment, duration_secs, grace_secs, price_extension,
    bandwidth_initial, bandwidth_remaining, suspend_after, activated_at, created_at, modified_at)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999),
     numbered (place, id) AS (SELECT row_number() OVER (ORDER BY id) - 1, id FROM host),
     counted (hosts) AS (SELECT count(*) FROM host)
SELECT randomblob(16), 'tor_bridge', numbered.id,
    CASE WHEN i % 5 > 1 THEN 'A' WHEN i % 1000 = 0 THEN 'H' ELSE 'Z' END,
    10000 + i / hosts, 0, present.target, 'number ' || i, 86400, 600, 20000, 1073741824, 1073741824,
    present.now + 864000000 + i, present.now, present.now - 31536000000 + i * 315360, present.now
FROM n CROSS JOIN present CROSS JOIN counted JOIN numbered ON numbered.place = i % hosts ORDER BY i;

INSERT INTO purchase_order (id, product_seq, host_id, kind, status, message, price, delivery, owed, created_at, modified_at)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999)
SELECT randomblob(16), p.seq, p.host_id, iif(i < 100000, 'first', 'extension'),
    CASE WHEN i % 5000 = 0 THEN 'N' WHEN i > 990000 AND i % 10 = 1 THEN 'R' ELSE 'P' END,
    NULL, 25000, iif(i % 5000 = 0, 'none', 'delivered'), iif(i % 5000 = 0, 25000, 0),
    present.now - 31536000000 + i * 31536, present.now
FROM n CROSS JOIN present JOIN product p ON p.seq = (SELECT min(seq) FROM product) + i % 100000 ORDER BY i;

INSERT INTO invoice (seq, state, node_id, payment_hash, is_hold, payment_request, amount, received, expiry_secs,
    made_at, expires_at, paid_at, created_at, modified_at)
SELECT seq, iif(status = 'R', 'expired', 'paid'), (SELECT id FROM node), randomblob(32), 0, 'lnbcrt1', 25000,
    iif(status = 'R', NULL, 25000), 900, created_at, created_at + 900000, iif(status = 'R', NULL, created_at + 5000),
    created_at, created_at FROM purchase_order ORDER BY seq;

INSERT INTO audit_log (at, actor, noun, noun_id, noun_seq, change)
SELECT created_at, iif(seq % 1000 = 0, 'operator:bench', 'shop'), 'order', '', seq, 'ordered' FROM purchase_order ORDER BY seq;

INSERT INTO day_total (day, host_id, currency, sold, extended, received, fiat)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 364)
SELECT present.now / 86400000 - i, host.id, 'EUR', 27, 246, 6825000, 68250 FROM n CROSS JOIN present CROSS JOIN host;

DROP TABLE present;
