-- What models were used for: one row per day, caller and model. Money is in billionths of the price's unit.
CREATE TABLE llm_usage (
    day TEXT NOT NULL,
    caller TEXT NOT NULL,
    model TEXT NOT NULL,
    calls INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    -- Of the tokens, those that we counted because the provider did not.
    estimated_tokens INTEGER NOT NULL,
    cost_nanos INTEGER NOT NULL,
    PRIMARY KEY (day, caller, model)
) STRICT, WITHOUT ROWID;

-- What calls under way may still use. A row whose process died stays: what it reserved counts as used for its day.
CREATE TABLE llm_reserved (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    day TEXT NOT NULL,
    caller TEXT NOT NULL,
    model TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    cost_nanos INTEGER NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX llm_reserved_day ON llm_reserved (day, caller);
