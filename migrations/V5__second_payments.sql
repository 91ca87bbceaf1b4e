-- What came by a payment hash other than the invoice's own: an attempt that another one took the place of.
ALTER TABLE invoice_attempt ADD COLUMN received INTEGER;
