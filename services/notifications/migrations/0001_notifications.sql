-- What was sent. The ids of notifications are their numbers, so that later ones sort after earlier ones.
CREATE TABLE notifications (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id VARCHAR(64) NOT NULL UNIQUE,
    customer_id VARCHAR(64) NOT NULL,
    order_id VARCHAR(64) NOT NULL,
    kind INTEGER NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    occurred BIGINT NOT NULL, -- milliseconds since 1970, as is `sent`
    sent BIGINT NOT NULL
);
CREATE INDEX notifications_of_customer ON notifications (customer_id, number);

-- What the consumer has done with the events it got: services/tskit/events.
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
