-- What the tickets of a workspace say they are and where they end, a page at a time.
-- Called by: audit::verify_workspace. Index: tickets_pkey. Locks: none.
SELECT id, number, title, status, priority, category_id, assignee_id, team_id, requester_id, created_at, updated_at,
       thread_updated_at, last_seq, last_thread_seq, head_hash, state_version, state
FROM tickets
WHERE workspace_id = $1 AND id > $2
ORDER BY id
LIMIT $3
