-- What reaches beyond one instance: commands for others, waits for the world, messages, schedules.

-- Commands that instances have for each other. Follows from the logs; deleted as the target commits a command of
-- that id. `target` is the instance that gets it, `process` is named where it begins with it. With a `reply` it was
-- given up.
CREATE TABLE dispatch (
  row     INTEGER PRIMARY KEY,
  id      TEXT    NOT NULL UNIQUE,
  sender  TEXT    NOT NULL,
  target  TEXT    NOT NULL,
  process TEXT,
  ask     TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  reply   TEXT
) STRICT;
CREATE INDEX dispatch_open ON dispatch (row) WHERE reply IS NULL;
CREATE INDEX dispatch_failed ON dispatch (row) WHERE reply IS NOT NULL;

-- Tokens that wait for something besides people and time. Follows from the logs, but for the lease: `epoch` counts
-- how often somebody took it, `worker` is who has it until `next_at`. A
-- message that must be `fresh` is one that came after `next_at`. kind: 0 message, 1 call, 2 http, 3 job.
CREATE TABLE wait (
  row      INTEGER PRIMARY KEY,
  instance TEXT    NOT NULL,
  token    INTEGER NOT NULL,
  step     TEXT    NOT NULL,
  since    INTEGER NOT NULL,
  kind     INTEGER NOT NULL,
  name     TEXT    NOT NULL,
  key      TEXT,
  fresh    INTEGER NOT NULL DEFAULT 0,
  next_at  INTEGER NOT NULL,
  waits    TEXT    NOT NULL,
  epoch    INTEGER NOT NULL DEFAULT 0,
  worker   TEXT
) STRICT;
CREATE UNIQUE INDEX wait_token ON wait (instance, token);
CREATE INDEX wait_message ON wait (name, key) WHERE kind = 0;
CREATE INDEX wait_http ON wait (next_at) WHERE kind = 2;
CREATE INDEX wait_job ON wait (name, next_at) WHERE kind = 3;

-- Messages from outside. `reader` is the instance that read it; who reads it a second time writes NULL there, and
-- NOT NULL fails the whole commit. What was read keeps its id, so that the same message again is no new one.
CREATE TABLE message (
  row    INTEGER PRIMARY KEY,
  id     TEXT    NOT NULL UNIQUE,
  name   TEXT    NOT NULL,
  key    TEXT,
  data   TEXT    NOT NULL,
  at     INTEGER NOT NULL,
  reader TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX message_unread ON message (name, key) WHERE reader = '';
CREATE INDEX message_read ON message (at) WHERE reader <> '';

-- Up to when the cases of a schedule have been started.
CREATE TABLE schedule (
  process TEXT    PRIMARY KEY,
  through INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The key that an open case of a process has to itself.
ALTER TABLE instance ADD COLUMN claim TEXT;
CREATE UNIQUE INDEX instance_claim ON instance (process, claim) WHERE claim IS NOT NULL;
