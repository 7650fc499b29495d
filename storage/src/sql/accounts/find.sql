-- The account of an address, while its person is active.
-- Called by: Accounts::find. Index: users_workspace_id_email_key. Locks: none.
SELECT id, password_hash FROM users WHERE workspace_id = $1 AND email = $2 AND is_active
