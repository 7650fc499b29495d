-- Everybody has read the tickets they were told of that nobody touched since $2: seeds begin with a history that is known.
-- Called by: Owner::read_until. Index: notifications_pkey (one workspace), tickets_pkey. Locks: the new rows.
INSERT INTO read_cursors (workspace_id, user_id, ticket_id, seq)
SELECT DISTINCT n.workspace_id, n.user_id, n.ticket_id,
       CASE WHEN t.requester_id = n.user_id THEN t.last_thread_seq ELSE t.last_seq END
FROM notifications n
JOIN tickets t ON t.workspace_id = n.workspace_id AND t.id = n.ticket_id
WHERE n.workspace_id = $1 AND t.updated_at < $2
ON CONFLICT (workspace_id, user_id, ticket_id) DO NOTHING
