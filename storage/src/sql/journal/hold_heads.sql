-- Waits until nobody else writes to these tickets: an append whose connection broke may still be committing.
-- Called by: the journal's writer when the outcome of a commit is unknown, before journal/settle.sql.
-- Index: tickets_pkey. Locks: the ticket rows, in order; waits for at most the connection's lock_timeout.
SELECT t.last_seq
FROM unnest($1::uuid[], $2::uuid[]) AS w (workspace_id, ticket_id)
JOIN tickets t ON t.workspace_id = w.workspace_id AND t.id = w.ticket_id
ORDER BY t.workspace_id, t.id
FOR NO KEY UPDATE OF t
