-- Logs of tickets that have no row.
-- Called by: audit::verify_workspace. Indexes: events_pkey, tickets_pkey. Locks: none.
SELECT DISTINCT e.ticket_id
FROM events e
WHERE e.workspace_id = $1 AND NOT EXISTS (SELECT FROM tickets t WHERE t.workspace_id = $1 AND t.id = e.ticket_id)
ORDER BY 1
