-- How those who run the shop sign in. Of whatever opens a door only the SHA-256 is kept, but for the secret of the
-- second factor, from which codes are made.
ALTER TABLE operator ADD COLUMN disabled_at INTEGER;                -- NULL: may sign in
ALTER TABLE operator ADD COLUMN totp_secret BLOB;                   -- NULL: no second factor
ALTER TABLE operator ADD COLUMN totp_asked BLOB;                    -- a new secret, until a code of it was shown
ALTER TABLE operator ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;  -- the last 30 seconds whose code was used

CREATE TABLE recovery_code (
    hash        BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    operator_id INTEGER NOT NULL REFERENCES operator (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX recovery_code_by_operator ON recovery_code (operator_id);

CREATE TABLE session (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    hash        BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    operator_id INTEGER NOT NULL REFERENCES operator (id),
    client      TEXT NOT NULL,                      -- address or circuit of the login
    agent       TEXT NOT NULL,                      -- the browser, as it calls itself
    made_at     INTEGER NOT NULL,
    used_at     INTEGER NOT NULL                    -- a few minutes behind
) STRICT;
CREATE INDEX session_by_operator ON session (operator_id);

CREATE TABLE api_token (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    hash        BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    operator_id INTEGER NOT NULL REFERENCES operator (id),
    name        TEXT NOT NULL,
    scope       TEXT NOT NULL CHECK (scope IN ('read', 'sell', 'admin')),
    made_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    used_at     INTEGER
) STRICT;
CREATE INDEX api_token_by_operator ON api_token (operator_id);

-- The last failed logins on the faces for operators; older ones go.
CREATE TABLE failed_login (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          INTEGER NOT NULL,
    operator_id INTEGER REFERENCES operator (id),   -- NULL: a name that nobody has; people type passwords there
    client      TEXT NOT NULL,
    reason      TEXT NOT NULL CHECK (reason IN ('password', 'code'))
) STRICT;
CREATE INDEX failed_login_by_operator ON failed_login (operator_id);

-- The link with which the first administrator is made; there is one at most.
CREATE TABLE setup_link (
    hash    BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
