-- A job whose worker did not answer within its lease has failed: who sweeps finds it by the end of the lease.
CREATE INDEX wait_leased ON wait (next_at) WHERE kind = 3 AND epoch > 0;
