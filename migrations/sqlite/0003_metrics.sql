-- Metrics are live with the people and the calendar; no case is pinned to any.
ALTER TABLE deployment ADD COLUMN metrics TEXT NOT NULL DEFAULT '{"v":1,"is":[]}';
