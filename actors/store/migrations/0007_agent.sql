-- Runs of workflows. What a run was made from is kept as it was: a file that is edited changes the runs after it.
CREATE TABLE agent_definitions (
    hash BLOB PRIMARY KEY,
    -- JSON: the workflow as it was read.
    definition TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_runs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    workflow TEXT NOT NULL,
    definition BLOB NOT NULL REFERENCES agent_definitions (hash),
    -- JSON: as whom it calls. Rights are looked up anew at every call.
    caller TEXT NOT NULL,
    owner TEXT NOT NULL,
    tier TEXT NOT NULL,
    inputs TEXT NOT NULL,
    -- JSON: what started it.
    cause TEXT NOT NULL,
    -- The run that it is a step of.
    parent TEXT,
    depth INTEGER NOT NULL,
    -- pending, running, waiting (for a person), cancelling, completed, failed, stopped
    state TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    started_ms INTEGER,
    ended_ms INTEGER,
    output TEXT,
    error TEXT,
    -- How often its own work panicked.
    crashes INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX agent_runs_state ON agent_runs (state);
CREATE INDEX agent_runs_workflow ON agent_runs (workflow, seq);
CREATE INDEX agent_runs_parent ON agent_runs (parent);

-- What was begun and what it came to. A row is here before its effect: one that is `begun` while nobody works on it is
-- one of which nobody knows what became.
CREATE TABLE agent_steps (
    run INTEGER NOT NULL REFERENCES agent_runs (seq) ON DELETE CASCADE,
    -- Its place: `read`, `each[3]/write`, `fork/left/x`, `try#2/x`.
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- begun, again (waits for a further try), asks (waits for a person), granted (may be repeated), done, failed
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    begun_ms INTEGER NOT NULL,
    -- What it waits for.
    until_ms INTEGER,
    -- What a person is asked, or what was to be done.
    detail TEXT,
    -- JSON: the result, or the failure.
    outcome TEXT,
    PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;

-- What happened, in its order: what followers are told and logs show.
CREATE TABLE agent_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES agent_runs (seq) ON DELETE CASCADE,
    at_ms INTEGER NOT NULL,
    path TEXT NOT NULL,
    what TEXT NOT NULL,
    text TEXT NOT NULL,
    data TEXT
) STRICT;

CREATE INDEX agent_events_run ON agent_events (run, seq);

-- How far each schedule has been looked after.
CREATE TABLE agent_schedules (
    workflow TEXT NOT NULL,
    place INTEGER NOT NULL,
    -- What the schedule says: another one begins anew.
    says TEXT NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (workflow, place)
) STRICT, WITHOUT ROWID;

-- Which run a call belongs to.
ALTER TABLE audit ADD COLUMN run TEXT;
