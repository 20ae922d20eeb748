-- What was asked to be sent. A message is here before its server hears of it, so that nothing is lost and nothing is sent
-- twice: a row that is `handing_over` while nobody works on it is one of which nobody knows what became.
CREATE TABLE mail_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    -- Who asks again says the same key; what was asked is kept as a hash, so that the key cannot mean another message.
    key TEXT NOT NULL,
    asked BLOB NOT NULL,
    caller TEXT NOT NULL,
    message_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    -- waiting, handing_over, sent, not_sent, unknown
    state TEXT NOT NULL,
    -- Why it was not sent, or why nobody knows.
    problem TEXT,
    -- JSON: each address with its outcome.
    recipients TEXT NOT NULL,
    -- pending, filed, none; with the message, as the sender keeps it, until it is filed.
    copy TEXT NOT NULL,
    message BLOB,
    -- JSON: where the copy is.
    copy_at TEXT,
    -- The process that works on it.
    process TEXT NOT NULL,
    UNIQUE (account, key)
) STRICT;

CREATE INDEX mail_outbox_account ON mail_outbox (account, at_ms);
