-- The chains of some tickets.
-- Called by: audit::verify_workspace. Index: events_pkey. Locks: none.
SELECT ticket_id, seq, data, private, salt, commitment, hash
FROM events
WHERE workspace_id = $1 AND ticket_id = ANY ($2)
ORDER BY ticket_id, seq
