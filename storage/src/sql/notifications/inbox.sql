-- A person's newest notifications, or the last before a number, each with its ticket and its event; newest first.
-- Called by: Notifications::inbox. Index: notifications_pkey backwards, then one row of tickets_pkey and events_pkey each. Locks: none.
SELECT n.seq, n.reason, n.ticket_id, t.number, t.title, t.requester_id, e.data, e.private, c.seq AS read_seq
FROM notifications n
JOIN tickets t ON t.workspace_id = n.workspace_id AND t.id = n.ticket_id
JOIN events e ON e.workspace_id = n.workspace_id AND e.ticket_id = n.ticket_id AND e.seq = n.ticket_seq
LEFT JOIN read_cursors c ON c.workspace_id = n.workspace_id AND c.user_id = n.user_id AND c.ticket_id = n.ticket_id
WHERE n.workspace_id = $1 AND n.user_id = $2 AND n.seq < $3
ORDER BY n.seq DESC
LIMIT $4
