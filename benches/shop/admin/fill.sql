-- A year of a large shop: 100,000 products on all its hosts, 1,000,000 orders in the order of their times, and what has gathered beside
-- them. The present stands in the temporary table `present (now, target)`, in milliseconds.

UPDATE host SET owner_id = (SELECT id FROM operator WHERE name = 'large');

INSERT INTO product (id, kind, host_id, status, port, placed, target, alias, public_key, comment, duration_secs, grace_secs,
    price_extension, bandwidth_initial, bandwidth_remaining, suspend_after, activated_at, created_at, modified_at)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999),
     numbered (place, id) AS (SELECT row_number() OVER (ORDER BY id) - 1, id FROM host),
     counted (hosts) AS (SELECT count(*) FROM host)
SELECT randomblob(16), iif(i % 10 = 9, 'nostr_alias', 'tor_bridge'), numbered.id,
    CASE WHEN i % 5 > 1 THEN 'A' WHEN i % 1000 = 0 THEN 'H' ELSE 'Z' END,
    10000 + i / hosts, 0, iif(i % 10 = 9, NULL, present.target), iif(i % 10 = 9, 'name' || i, NULL),
    iif(i % 10 = 9, 'npub1' || i, NULL), 'number ' || i, 86400, 600, 20000, 1073741824, 1073741824,
    present.now + 864000000 + i, present.now, present.now - 31536000000 + i * 315360, present.now
FROM n CROSS JOIN present CROSS JOIN counted JOIN numbered ON numbered.place = i % hosts ORDER BY i;

-- What is owed is rare, and so is what ended without a payment: that is deleted after some days.
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

-- Each order leaves its entry, each second one of its product; a person has done something to each thousandth, and a script in a
-- person's name to 100,000 lately.
INSERT INTO audit_log (at, actor, noun, noun_id, noun_seq, change)
WITH about (noun) AS (VALUES ('order'), ('product'))
SELECT o.created_at, iif(o.seq % 1000 = 0, 'operator:bench', 'shop'), about.noun, '',
    iif(about.noun = 'order', o.seq, o.product_seq), 'ordered'
FROM purchase_order o CROSS JOIN about WHERE about.noun = 'order' OR o.seq % 2 = 0 ORDER BY o.seq;
INSERT INTO audit_log (at, actor, noun, noun_id, noun_seq, change)
SELECT present.now, 'operator:script', 'order', '', seq, 'looked at' FROM purchase_order, present ORDER BY seq LIMIT 100000;

INSERT INTO day_total (day, host_id, currency, sold, extended, received, fiat)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 364)
SELECT present.now / 86400000 - i, host.id, 'EUR', 3, 24, 675000, 6750 FROM n CROSS JOIN present CROSS JOIN host;

-- What is closed is kept; what waits does so while a node is away.
INSERT INTO alert (topic, subject, severity, text, first_at, last_at, closed_at)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
SELECT 'host_dead', 'host ' || i, 'warning', 'It did not check in.', now - 31536000000 + i * 315360,
    now - 31536000000 + i * 315360, iif(i < 99900, now, NULL) FROM n CROSS JOIN present ORDER BY i;
INSERT INTO effect (kind, seq, payment_hash, node_id, next_try_at, created_at)
SELECT 'cancel_invoice', v.seq, v.payment_hash, v.node_id, present.now + 864000000, v.created_at
FROM invoice v CROSS JOIN present WHERE v.state = 'paid' ORDER BY v.seq DESC LIMIT 5000;
INSERT INTO deny_entry (kind, value, status, created_at, modified_at)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
SELECT 'target', i || '.onion', 'denied', present.now, present.now FROM n CROSS JOIN present ORDER BY i;
INSERT INTO job_history (name, first_at, last_at, runs, longest_ms, has_failed, outcome)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49999)
SELECT 'job' || i % 20, now - i, now - i, 1, 1, 0, 'ok' FROM n CROSS JOIN present ORDER BY i DESC;
INSERT INTO host_presence (host_id, at, is_alive)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
SELECT host.id, now - i * 60000, i % 2 FROM n CROSS JOIN present CROSS JOIN host ORDER BY i DESC;

DROP TABLE present;
