-- The sign-in of a token, while it is valid and its person active.
-- Called by: Accounts::session. Index: sessions_workspace_id_token_hash_key. Locks: none.
SELECT s.id, s.user_id, u.name, u.email, u.role, s.expires_at
FROM sessions s
JOIN users u ON u.workspace_id = s.workspace_id AND u.id = s.user_id
WHERE s.workspace_id = $1 AND s.token_hash = $2 AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp() AND u.is_active
