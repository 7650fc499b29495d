-- The first events after a number, in the ticket's numbering.
-- Called by: Journal::events. Index: events_pkey. Locks: none.
SELECT data, private FROM events WHERE workspace_id = $1 AND ticket_id = $2 AND seq > $3 ORDER BY seq LIMIT $4
