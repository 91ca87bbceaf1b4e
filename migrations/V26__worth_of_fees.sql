-- V26
-- What the fees of refunds were worth, by day and host, as income and what was paid back are: at the rate that was frozen
-- with the order's invoice, in hundredths of a cent.

ALTER TABLE day_total ADD COLUMN fiat_fees INTEGER NOT NULL DEFAULT 0;
ALTER TABLE month_total ADD COLUMN fiat_fees INTEGER NOT NULL DEFAULT 0;

DROP TRIGGER day_has_begun;
CREATE TRIGGER day_has_begun AFTER INSERT ON day_total BEGIN
    INSERT INTO month_total (month, host_id, currency, sold, extended, received, fiat, refunded, fiat_refunded, fees, fiat_fees)
    VALUES (CAST(strftime('%s', new.day * 86400, 'unixepoch', 'start of month') AS INTEGER) / 86400, new.host_id, new.currency,
        new.sold, new.extended, new.received, new.fiat, new.refunded, new.fiat_refunded, new.fees, new.fiat_fees)
    ON CONFLICT (month, host_id, currency) DO UPDATE SET sold = sold + excluded.sold,
        extended = extended + excluded.extended, received = received + excluded.received, fiat = fiat + excluded.fiat,
        refunded = refunded + excluded.refunded, fiat_refunded = fiat_refunded + excluded.fiat_refunded,
        fees = fees + excluded.fees, fiat_fees = fiat_fees + excluded.fiat_fees;
END;

DROP TRIGGER day_has_more;
CREATE TRIGGER day_has_more AFTER UPDATE ON day_total BEGIN
    UPDATE month_total SET sold = sold + new.sold - old.sold, extended = extended + new.extended - old.extended,
        received = received + new.received - old.received, fiat = fiat + new.fiat - old.fiat,
        refunded = refunded + new.refunded - old.refunded,
        fiat_refunded = fiat_refunded + new.fiat_refunded - old.fiat_refunded, fees = fees + new.fees - old.fees,
        fiat_fees = fiat_fees + new.fiat_fees - old.fiat_fees
    WHERE month = CAST(strftime('%s', new.day * 86400, 'unixepoch', 'start of month') AS INTEGER) / 86400
        AND host_id = new.host_id AND currency = new.currency;
END;

DROP TRIGGER refund_cost_a_fee;
CREATE TRIGGER refund_cost_a_fee AFTER UPDATE OF fee ON refund
WHEN new.fee IS NOT NULL AND old.fee IS NULL BEGIN
    INSERT INTO day_total (day, host_id, currency, fees, fiat_fees)
    SELECT new.modified_at / 86400000, o.host_id, coalesce(v.tax_currency, v.info_currency, ''), new.fee,
        CAST(new.fee * 1.0 * coalesce(v.tax_rate_cents, v.info_rate_cents, 0) / 1e9 AS INTEGER)
    FROM purchase_order o JOIN invoice v ON v.seq = o.seq WHERE o.id = new.order_id
    ON CONFLICT (day, host_id, currency) DO UPDATE SET fees = fees + excluded.fees,
        fiat_fees = fiat_fees + excluded.fiat_fees;
END;

-- What was before; the months follow.
UPDATE day_total SET fiat_fees = coalesce((
    SELECT sum(CAST(r.fee * 1.0 * coalesce(v.tax_rate_cents, v.info_rate_cents, 0) / 1e9 AS INTEGER))
    FROM refund r JOIN purchase_order o ON o.id = r.order_id JOIN invoice v ON v.seq = o.seq
    WHERE r.fee IS NOT NULL AND r.modified_at / 86400000 = day_total.day AND o.host_id = day_total.host_id
        AND coalesce(v.tax_currency, v.info_currency, '') = day_total.currency
), 0) WHERE fees > 0;
