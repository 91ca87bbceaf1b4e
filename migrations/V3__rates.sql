-- What a bitcoin costs in other currencies, when it was fetched, and what was shown with an invoice.

CREATE TABLE rate (
    currency   TEXT NOT NULL CHECK (length(currency) = 3),   -- ISO 4217, upper case
    fetched_at INTEGER NOT NULL,
    cents      INTEGER NOT NULL CHECK (cents > 0),           -- hundredths of the currency for one bitcoin
    PRIMARY KEY (currency, fetched_at)
) STRICT, WITHOUT ROWID;

-- Frozen when the invoice is decided; NULL where no fresh rate was known: then none is shown.
ALTER TABLE invoice ADD COLUMN tax_currency TEXT;
ALTER TABLE invoice ADD COLUMN tax_rate_cents INTEGER;
ALTER TABLE invoice ADD COLUMN info_currency TEXT;
ALTER TABLE invoice ADD COLUMN info_rate_cents INTEGER;
