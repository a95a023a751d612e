-- How many confirmed orders had both products, each pair in both directions.
CREATE TABLE together (
    product_id VARCHAR(64) NOT NULL,
    other_id VARCHAR(64) NOT NULL,
    orders BIGINT NOT NULL,
    PRIMARY KEY (product_id, other_id)
) WITHOUT ROWID;

-- What the consumer has done with the events it got: services/gokit/events.
CREATE TABLE inbox (
    event_id VARCHAR(64) PRIMARY KEY,
    kind VARCHAR(40) NOT NULL,
    aggregate VARCHAR(64) NOT NULL,
    sequence BIGINT NOT NULL,
    state VARCHAR(10) NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL,
    body BLOB NOT NULL,
    changed DATETIME NOT NULL
);
CREATE INDEX inbox_of_aggregate ON inbox (kind, aggregate, state, sequence);
CREATE INDEX inbox_state ON inbox (state, changed);
