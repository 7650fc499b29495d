-- Tickets that the hub has to look at by itself, the longest due first; the tenants are not known yet.
-- Called by: Journal::due, each second. Index: due_by_time. Locks: none.
SELECT workspace_id, ticket_id FROM due WHERE due_at <= $1 ORDER BY due_at LIMIT $2
