-- What a model was called: vectors of an earlier one answer until those of the next one are made, and a question to them
-- needs its model. A model that is not yet answered from was used at 0.
ALTER TABLE index_models ADD COLUMN name TEXT NOT NULL DEFAULT '';
