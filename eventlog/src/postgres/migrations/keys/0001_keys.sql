-- The keys of personal values. A subject without a key was erased.
CREATE TABLE dossier_keys.subject_key (
    subject text COLLATE "C" PRIMARY KEY,
    key bytea
);

CREATE TABLE dossier_keys.meta (
    name text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);
