-- Remembers sign-ins of load tests, by the digests of their tokens.
-- Called by: Owner::sessions, as the owner. Index: sessions_pkey. Locks: the users' rows, shared.
INSERT INTO sessions (workspace_id, id, user_id, token_hash, expires_at)
SELECT $1, s.id, s.user_id, s.token_hash, s.expires_at
FROM unnest($2::uuid[], $3::uuid[], $4::bytea[], $5::timestamptz[]) AS s (id, user_id, token_hash, expires_at)
