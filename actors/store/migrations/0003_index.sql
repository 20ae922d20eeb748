-- What of a person's files can be found by what is in them.

-- Folders and files that are kept current, by their virtual paths.
CREATE TABLE index_watched (
    path     TEXT PRIMARY KEY,
    -- 1: with everything below it; 0: only what is in it.
    deep     INTEGER NOT NULL,
    added_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every file below them, as it was when it was read.
CREATE TABLE index_files (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    path        TEXT NOT NULL UNIQUE,
    device      INTEGER NOT NULL,
    inode       INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    -- BLAKE3 of the content; null where it was not read.
    hash        BLOB,
    kind        TEXT NOT NULL,
    -- Why nothing of it is found; null where something is.
    skipped     TEXT,
    indexed_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX index_files_by_inode ON index_files (inode, device);

-- Every distinct text, with the headings above it: what has a vector and words. Equal pieces of many files are one.
CREATE TABLE index_texts (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    -- BLAKE3 of trail and text.
    hash  BLOB NOT NULL UNIQUE,
    trail TEXT NOT NULL,
    text  TEXT NOT NULL
) STRICT;

-- Where a text stands.
CREATE TABLE index_chunks (
    file       INTEGER NOT NULL REFERENCES index_files (id) ON DELETE CASCADE,
    nth        INTEGER NOT NULL,
    text       INTEGER NOT NULL REFERENCES index_texts (id),
    first_byte INTEGER NOT NULL,
    end_byte   INTEGER NOT NULL,
    first_line INTEGER NOT NULL,
    last_line  INTEGER NOT NULL,
    PRIMARY KEY (file, nth)
) STRICT, WITHOUT ROWID;
CREATE INDEX index_chunks_by_text ON index_chunks (text);

-- Models that vectors were made with; the last one is in force.
CREATE TABLE index_models (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint BLOB NOT NULL UNIQUE,
    dimensions  INTEGER NOT NULL,
    used_ms     INTEGER NOT NULL
) STRICT;

-- Vectors: 32-bit floats, least significant byte first, of length one.
CREATE TABLE index_vectors (
    model  INTEGER NOT NULL REFERENCES index_models (id) ON DELETE CASCADE,
    text   INTEGER NOT NULL REFERENCES index_texts (id) ON DELETE CASCADE,
    vector BLOB NOT NULL,
    PRIMARY KEY (model, text)
) STRICT, WITHOUT ROWID;

-- Words: rowid is the text's id. The texts are above; here is only where each word stands.
CREATE VIRTUAL TABLE index_words USING fts5 (
    trail, text,
    content = '', contentless_delete = 1, detail = 'full',
    tokenize = "unicode61 remove_diacritics 2"
);
