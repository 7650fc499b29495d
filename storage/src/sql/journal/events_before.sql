-- The last events before a number, in the ticket's numbering; newest first.
-- Called by: Journal::events, which turns them round. Index: events_pkey. Locks: none.
SELECT data, private FROM events WHERE workspace_id = $1 AND ticket_id = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4
