-- Ends a sign-in; what was ended stays ended at the time it was.
-- Called by: Accounts::close_session. Index: sessions_pkey. Locks: the session's row.
UPDATE sessions SET revoked_at = clock_timestamp() WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL
