-- Tokens of hosts that were replaced: nobody knows which of them a host has by now. Each works until the newest one has
-- been used, for a day after it was replaced at most.
CREATE TABLE former_token (
    seq         INTEGER PRIMARY KEY,                -- in the order in which they were replaced
    hash        BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    host_id     BLOB NOT NULL REFERENCES host (id),
    replaced_at INTEGER NOT NULL
) STRICT;
CREATE INDEX former_token_by_host ON former_token (host_id);
INSERT INTO former_token (hash, host_id, replaced_at)
    SELECT former_token_hash, id, token_replaced_at FROM host
    WHERE former_token_hash IS NOT NULL AND token_replaced_at IS NOT NULL;
DROP INDEX host_by_former_token;
ALTER TABLE host DROP COLUMN former_token_hash;
ALTER TABLE host DROP COLUMN token_replaced_at;
