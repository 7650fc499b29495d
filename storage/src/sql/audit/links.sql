-- The chains of some tickets, with the columns that repeat what `data` says.
-- Called by: audit::verify_workspace. Index: events_pkey. Locks: none.
SELECT workspace_id, ticket_id, seq, thread_seq, at, data, private, salt, commitment, hash, key, key_by
FROM events
WHERE workspace_id = $1 AND ticket_id = ANY ($2)
ORDER BY ticket_id, seq
