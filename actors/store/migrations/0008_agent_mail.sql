-- How far each workflow that mail starts has seen its folder: no message starts it twice, and none is passed over.
CREATE TABLE agent_mail (
    workflow TEXT NOT NULL,
    account TEXT NOT NULL,
    folder TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    PRIMARY KEY (workflow, account, folder)
) STRICT, WITHOUT ROWID;
