-- The first schema. Times are milliseconds since 1970, ids 32 hexadecimal digits, `json` columns versioned records.
-- Tables that lists are read from keep an explicit integer key in the order of writing: newest first is `row DESC`,
-- and every index ends with it by itself.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The log: one row a command. Never updated but to forget what is personal.
CREATE TABLE entry (
  row       INTEGER PRIMARY KEY,
  instance  TEXT    NOT NULL,
  revision  INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  command   TEXT    NOT NULL,
  structure TEXT    NOT NULL,
  personal  TEXT,
  salt      TEXT,
  digest    TEXT    NOT NULL,
  hash      TEXT    NOT NULL
) STRICT;
-- The optimistic guard: a command decided on a stale state cannot append.
CREATE UNIQUE INDEX entry_revision ON entry (instance, revision);
-- A command of an instance is done once.
CREATE UNIQUE INDEX entry_command ON entry (instance, command);
-- A start is done once, whatever instance it would make.
CREATE UNIQUE INDEX entry_start ON entry (command) WHERE revision = 1;

-- What lists show of an instance. Follows from its log.
CREATE TABLE instance (
  row        INTEGER PRIMARY KEY,
  id         TEXT    NOT NULL UNIQUE,
  process    TEXT    NOT NULL,
  version    TEXT    NOT NULL,
  title      TEXT    NOT NULL,
  number     TEXT,
  applicant  TEXT    NOT NULL,
  started_at INTEGER NOT NULL,
  revision   INTEGER NOT NULL,
  head       TEXT    NOT NULL,
  at         INTEGER NOT NULL,
  outcome    TEXT,
  ended_at   INTEGER,
  key        TEXT,
  headline   TEXT,
  steps      TEXT    NOT NULL,
  incident   INTEGER NOT NULL,
  wake_at    INTEGER
) STRICT;
CREATE UNIQUE INDEX instance_number ON instance (number, process) WHERE number IS NOT NULL;
CREATE INDEX instance_process ON instance (process);
CREATE INDEX instance_applicant ON instance (applicant);
CREATE INDEX instance_key ON instance (key) WHERE key IS NOT NULL;
CREATE INDEX instance_open ON instance (process) WHERE outcome IS NULL;
CREATE INDEX instance_running ON instance (row) WHERE outcome IS NULL;
CREATE INDEX instance_outcome ON instance (outcome) WHERE outcome IS NOT NULL;
CREATE INDEX instance_incident ON instance (incident) WHERE incident = 1;
CREATE INDEX instance_wake ON instance (wake_at) WHERE wake_at IS NOT NULL;

-- A state, to spare folding a long log. May be deleted at any time.
CREATE TABLE snapshot (
  instance TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,
  state    TEXT    NOT NULL
) STRICT;

-- All that a ticket is checked against. Follows from the log. state: 0 open, 1 answered, 2 closed.
CREATE TABLE assignment (
  row           INTEGER PRIMARY KEY,
  id            TEXT    NOT NULL UNIQUE,
  instance      TEXT    NOT NULL,
  task          INTEGER NOT NULL,
  round         INTEGER NOT NULL,
  step          TEXT    NOT NULL,
  person        TEXT    NOT NULL,
  stands_in_for TEXT,
  nonce         TEXT    NOT NULL,
  state         INTEGER NOT NULL,
  opened_at     INTEGER NOT NULL,
  due_at        INTEGER
) STRICT;
CREATE INDEX assignment_open ON assignment (person) WHERE state = 0;
CREATE INDEX assignment_waiting ON assignment (row) WHERE state = 0;

-- Mail on its way. state: 0 pending, 1 prepared, 2 sending, 3 retry, 4 accepted, 5 failed, 6 skipped.
-- A leased row is next due when its lease ends.
CREATE TABLE outbox (
  row            INTEGER PRIMARY KEY,
  instance       TEXT    NOT NULL,
  mail           INTEGER NOT NULL,
  kind           TEXT    NOT NULL,
  assignment     TEXT,
  person         TEXT    NOT NULL,
  priority       INTEGER NOT NULL,
  state          INTEGER NOT NULL,
  attempt        INTEGER NOT NULL DEFAULT 0,
  next_at        INTEGER NOT NULL,
  address        TEXT,
  message_id     TEXT,
  parts          BLOB,
  reply          TEXT,
  possibly_twice INTEGER NOT NULL DEFAULT 0,
  queued_at      INTEGER NOT NULL,
  settled_at     INTEGER
) STRICT;
CREATE UNIQUE INDEX outbox_mail ON outbox (instance, mail);
CREATE INDEX outbox_due ON outbox (priority, next_at) WHERE state < 4;
CREATE INDEX outbox_failed ON outbox (state) WHERE state = 5;

-- The next number of each sequence, and what it was before the last commit that took one. Whoever writes a row
-- says what they took `next` to be; if it was not, NULL is written and NOT NULL fails the whole commit.
CREATE TABLE sequence (
  name TEXT PRIMARY KEY,
  was  INTEGER NOT NULL,
  next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every definition that was ever live; instances stay pinned to theirs.
CREATE TABLE definition (
  version TEXT PRIMARY KEY,
  process TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  json    TEXT    NOT NULL
) STRICT;

-- What went live together. The last one is live.
CREATE TABLE deployment (
  number    INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  note      TEXT    NOT NULL,
  versions  TEXT    NOT NULL,
  directory TEXT    NOT NULL,
  calendar  TEXT    NOT NULL
) STRICT;
