-- The log. Payload and metadata are exact bytes; recorded_at counts microseconds since 1970.
CREATE TABLE dossier_log.event (
    position bigint PRIMARY KEY,
    stream text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    event_id uuid NOT NULL,
    type text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    recorded_at bigint NOT NULL,
    metadata bytea NOT NULL,
    payload bytea NOT NULL,
    CONSTRAINT event_by_stream UNIQUE (stream, revision),
    CONSTRAINT event_by_id UNIQUE (event_id)
);

CREATE TABLE dossier_log.meta (
    name text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);
