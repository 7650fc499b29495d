-- Where the tickets of a workspace say they end, a page at a time.
-- Called by: audit::verify_workspace. Index: tickets_pkey. Locks: none.
SELECT id, last_seq, head_hash FROM tickets WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3
