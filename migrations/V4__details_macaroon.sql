-- A read-only macaroon beside the one for invoices: lets the node tell its name, height and the like.
ALTER TABLE node ADD COLUMN details_macaroon_file TEXT;
