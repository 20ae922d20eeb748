-- Tokens name callers. Only the SHA-256 of a token is kept; the token itself was shown once.
CREATE TABLE tokens (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    hash        BLOB NOT NULL UNIQUE,
    tier        TEXT,
    allow       TEXT,
    created_ms  INTEGER NOT NULL,
    expires_ms  INTEGER
) STRICT;

-- What is left of a caller's rate, so that a restart is no way round it.
CREATE TABLE rates (
    caller      TEXT NOT NULL,
    tier        TEXT NOT NULL,
    remaining   INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    PRIMARY KEY (caller, tier)
) STRICT, WITHOUT ROWID;

-- Who called what, with which outcome. Never what was in it.
CREATE TABLE audit (
    id           INTEGER PRIMARY KEY,
    at_ms        INTEGER NOT NULL,
    request_id   TEXT NOT NULL,
    caller       TEXT NOT NULL,
    way          TEXT NOT NULL,
    method       TEXT NOT NULL,
    outcome      TEXT NOT NULL,
    calls        INTEGER NOT NULL,
    took_us      INTEGER NOT NULL,
    took_us_max  INTEGER NOT NULL,
    bytes_in     INTEGER NOT NULL,
    bytes_out    INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit (at_ms);
