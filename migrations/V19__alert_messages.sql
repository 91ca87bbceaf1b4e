-- What is told of alerts outside of the shop. Triggers write it down, in the transaction that raises or closes an alert.

-- The channels of the configuration, as the last start has found them, and how they fare.
CREATE TABLE alert_channel (
    name      TEXT NOT NULL PRIMARY KEY,
    lowest    INTEGER NOT NULL CHECK (lowest IN (0, 1, 2)),  -- 0 info, 1 warning, 2 critical: less is not told
    sent_at   INTEGER,                                       -- the last success
    failed_at INTEGER,                                       -- the last failure
    failure   TEXT,                                          -- what it was
    off_at    INTEGER,                                       -- its receiver wants no more
    left_out  INTEGER NOT NULL DEFAULT 0                     -- news that found no room below
) STRICT, WITHOUT ROWID;

-- What is in no message yet; at most 400 a channel.
CREATE TABLE alert_news (
    id       INTEGER PRIMARY KEY,
    channel  TEXT NOT NULL REFERENCES alert_channel (name),
    alert_id INTEGER NOT NULL REFERENCES alert (id),
    is_end   INTEGER NOT NULL CHECK (is_end IN (0, 1)),
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_news_by_channel ON alert_news (channel);

-- Messages that were not taken yet.
CREATE TABLE alert_message (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL,                               -- names it to its receiver
    channel     TEXT NOT NULL REFERENCES alert_channel (name),
    kind        TEXT NOT NULL CHECK (kind IN ('alert', 'summary', 'test')),
    severity    TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    title       TEXT NOT NULL,
    text        TEXT NOT NULL,
    made_at     INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    next_try_at INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_message_by_channel ON alert_message (channel, next_try_at);

-- Whom an alert is told to: channels that are on and told of what is that urgent. That a channel does not work is not
-- told there.
CREATE TRIGGER alert_was_raised AFTER INSERT ON alert WHEN new.closed_at IS NULL BEGIN
    UPDATE alert_channel SET left_out = left_out + 1
    WHERE off_at IS NULL AND lowest <= iif(new.severity = 'critical', 2, new.severity = 'warning')
        AND NOT (new.topic = 'alerts_undelivered' AND new.subject = name)
        AND (SELECT count(*) FROM alert_news n WHERE n.channel = name) >= iif(new.severity = 'critical', 400, 200);
    INSERT INTO alert_news (channel, alert_id, is_end, at)
    SELECT name, new.id, 0, new.first_at FROM alert_channel
    WHERE off_at IS NULL AND lowest <= iif(new.severity = 'critical', 2, new.severity = 'warning')
        AND NOT (new.topic = 'alerts_undelivered' AND new.subject = name)
        AND (SELECT count(*) FROM alert_news n WHERE n.channel = name) < iif(new.severity = 'critical', 400, 200);
END;

CREATE TRIGGER alert_is_over AFTER UPDATE OF closed_at ON alert
WHEN old.closed_at IS NULL AND new.closed_at IS NOT NULL BEGIN
    INSERT INTO alert_news (channel, alert_id, is_end, at)
    SELECT name, new.id, 1, new.closed_at FROM alert_channel
    WHERE off_at IS NULL AND lowest <= iif(new.severity = 'critical', 2, new.severity = 'warning')
        AND NOT (new.topic = 'alerts_undelivered' AND new.subject = name)
        AND (SELECT count(*) FROM alert_news n WHERE n.channel = name) < iif(new.severity = 'critical', 400, 200);
END;
