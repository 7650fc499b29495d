-- Remembers a sign-in, by the digest of its token.
-- Called by: Accounts::open_session and the seeds. Index: sessions_pkey. Locks: the user's row, shared.
INSERT INTO sessions (workspace_id, id, user_id, token_hash, expires_at) VALUES ($1, $2, $3, $4, $5)
