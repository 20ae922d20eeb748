-- Jobs that copy between the roots and remotes. What is in JSON is read as a whole and never asked by its parts.
CREATE TABLE sync_jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    -- The definition that it was made from, if any.
    name TEXT,
    caller TEXT NOT NULL,
    tier TEXT NOT NULL,
    verb TEXT NOT NULL,
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    options TEXT NOT NULL,
    state TEXT NOT NULL,
    message TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    started_ms INTEGER,
    ended_ms INTEGER,
    return_code INTEGER,
    progress TEXT NOT NULL
) STRICT;

CREATE INDEX sync_jobs_state ON sync_jobs (state);

-- What a job said, oldest first; the newest lines are kept.
CREATE TABLE sync_log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL REFERENCES sync_jobs (id) ON DELETE CASCADE,
    at_ms INTEGER NOT NULL,
    line TEXT NOT NULL
) STRICT;

CREATE INDEX sync_log_job ON sync_log (job, seq);

-- Jobs that have a name and are run again and again.
CREATE TABLE sync_definitions (
    name TEXT PRIMARY KEY,
    caller TEXT NOT NULL,
    description TEXT NOT NULL,
    verb TEXT NOT NULL,
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    options TEXT NOT NULL,
    changed_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a job would do, as somebody saw it. A plan is used once.
CREATE TABLE sync_plans (
    id TEXT PRIMARY KEY,
    caller TEXT NOT NULL,
    job TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
