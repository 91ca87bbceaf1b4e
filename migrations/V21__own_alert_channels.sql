-- Channels of operators' own. They are told of what concerns their owner, which no trigger can decide: what is written
-- down for them is sorted before it becomes a message.
ALTER TABLE alert_channel ADD COLUMN owner_id INTEGER REFERENCES operator (id);  -- NULL: one of the configuration
ALTER TABLE alert_channel ADD COLUMN kind TEXT CHECK (kind IN ('email', 'ntfy', 'webhook', 'nostr'));
ALTER TABLE alert_channel ADD COLUMN target TEXT;  -- the address of e-mail, the URL, the npub
ALTER TABLE alert_channel ADD COLUMN secret TEXT;  -- the topic of ntfy, the secret of a webhook
ALTER TABLE alert_channel ADD COLUMN token TEXT;   -- what ntfy lets in
ALTER TABLE alert_channel ADD COLUMN quiet TEXT;   -- as in the configuration; NULL: what that says
CREATE INDEX alert_channel_by_owner ON alert_channel (owner_id) WHERE owner_id IS NOT NULL;

ALTER TABLE alert_news ADD COLUMN is_sorted INTEGER NOT NULL DEFAULT 1 CHECK (is_sorted IN (0, 1));

-- As before (V19) for the channels of the configuration. For others everything is written down, room or not, since most
-- of it goes when it is sorted; whoever may not sign in is told nothing.
DROP TRIGGER alert_was_raised;
CREATE TRIGGER alert_was_raised AFTER INSERT ON alert WHEN new.closed_at IS NULL BEGIN
    UPDATE alert_channel SET left_out = left_out + 1
    WHERE owner_id IS NULL AND off_at IS NULL AND lowest <= iif(new.severity = 'critical', 2, new.severity = 'warning')
        AND NOT (new.topic = 'alerts_undelivered' AND new.subject = name)
        AND (SELECT count(*) FROM alert_news n WHERE n.channel = name) >= iif(new.severity = 'critical', 400, 200);
    INSERT INTO alert_news (channel, alert_id, is_end, at, is_sorted)
    SELECT name, new.id, 0, new.first_at, owner_id IS NULL FROM alert_channel
    WHERE off_at IS NULL AND lowest <= iif(new.severity = 'critical', 2, new.severity = 'warning')
        AND NOT (new.topic = 'alerts_undelivered' AND new.subject = name)
        AND iif(owner_id IS NULL,
            (SELECT count(*) FROM alert_news n WHERE n.channel = name) < iif(new.severity = 'critical', 400, 200),
            (SELECT disabled_at IS NULL FROM operator WHERE id = owner_id));
END;

DROP TRIGGER alert_is_over;
CREATE TRIGGER alert_is_over AFTER UPDATE OF closed_at ON alert
WHEN old.closed_at IS NULL AND new.closed_at IS NOT NULL BEGIN
    INSERT INTO alert_news (channel, alert_id, is_end, at, is_sorted)
    SELECT name, new.id, 1, new.closed_at, owner_id IS NULL FROM alert_channel
    WHERE off_at IS NULL AND lowest <= iif(new.severity = 'critical', 2, new.severity = 'warning')
        AND NOT (new.topic = 'alerts_undelivered' AND new.subject = name)
        AND iif(owner_id IS NULL,
            (SELECT count(*) FROM alert_news n WHERE n.channel = name) < iif(new.severity = 'critical', 400, 200),
            (SELECT disabled_at IS NULL FROM operator WHERE id = owner_id));
END;
