-- V26
-- What the fees of refunds were worth, by day and host, as income and what was paid back are: at the rate that was frozen
-- with the order's invoice, in hundredths of a cent.

ALTER TABLE day_total ADD COLUMN fiat_fees INTEGER NOT NULL DEFAULT 0;

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

-- What was before.
UPDATE day_total SET fiat_fees = coalesce((
    SELECT sum(CAST(r.fee * 1.0 * coalesce(v.tax_rate_cents, v.info_rate_cents, 0) / 1e9 AS INTEGER))
    FROM refund r JOIN purchase_order o ON o.id = r.order_id JOIN invoice v ON v.seq = o.seq
    WHERE r.fee IS NOT NULL AND r.modified_at / 86400000 = day_total.day AND o.host_id = day_total.host_id
        AND coalesce(v.tax_currency, v.info_currency, '') = day_total.currency
), 0) WHERE fees > 0;
