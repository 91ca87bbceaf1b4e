-- What those who run a large shop look at, in the same time whatever has gathered.

-- What one person did to one kind of thing is read without all else that they did: scripts in a person's name do much.
-- Few entries are a person's, so few writes touch this.
CREATE INDEX audit_log_by_person_and_noun ON audit_log (actor, noun)
    WHERE actor >= 'cli' AND actor < 'clj' OR actor >= 'operator:' AND actor < 'operator;';

-- Sums by month (its first day, in days since 1970, UTC), kept from those by day: years of many hosts are too many days to add
-- up whenever somebody asks.
CREATE TABLE month_total (
    month         INTEGER NOT NULL,
    host_id       BLOB NOT NULL REFERENCES host (id),
    currency      TEXT NOT NULL,
    sold          INTEGER NOT NULL,
    extended      INTEGER NOT NULL,
    received      INTEGER NOT NULL,
    fiat          INTEGER NOT NULL,
    refunded      INTEGER NOT NULL,
    fiat_refunded INTEGER NOT NULL,
    fees          INTEGER NOT NULL,
    PRIMARY KEY (month, host_id, currency)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER day_has_begun AFTER INSERT ON day_total BEGIN
    INSERT INTO month_total (month, host_id, currency, sold, extended, received, fiat, refunded, fiat_refunded, fees)
    VALUES (CAST(strftime('%s', new.day * 86400, 'unixepoch', 'start of month') AS INTEGER) / 86400, new.host_id, new.currency,
        new.sold, new.extended, new.received, new.fiat, new.refunded, new.fiat_refunded, new.fees)
    ON CONFLICT (month, host_id, currency) DO UPDATE SET sold = sold + excluded.sold,
        extended = extended + excluded.extended, received = received + excluded.received, fiat = fiat + excluded.fiat,
        refunded = refunded + excluded.refunded, fiat_refunded = fiat_refunded + excluded.fiat_refunded,
        fees = fees + excluded.fees;
END;

CREATE TRIGGER day_has_more AFTER UPDATE ON day_total BEGIN
    UPDATE month_total SET sold = sold + new.sold - old.sold, extended = extended + new.extended - old.extended,
        received = received + new.received - old.received, fiat = fiat + new.fiat - old.fiat,
        refunded = refunded + new.refunded - old.refunded,
        fiat_refunded = fiat_refunded + new.fiat_refunded - old.fiat_refunded, fees = fees + new.fees - old.fees
    WHERE month = CAST(strftime('%s', new.day * 86400, 'unixepoch', 'start of month') AS INTEGER) / 86400
        AND host_id = new.host_id AND currency = new.currency;
END;

INSERT INTO month_total (month, host_id, currency, sold, extended, received, fiat, refunded, fiat_refunded, fees)
SELECT CAST(strftime('%s', day * 86400, 'unixepoch', 'start of month') AS INTEGER) / 86400, host_id, currency, sum(sold),
    sum(extended), sum(received), sum(fiat), sum(refunded), sum(fiat_refunded), sum(fees)
FROM day_total GROUP BY 1, 2, 3;
