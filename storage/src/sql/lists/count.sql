-- How many tickets stand in each queue of the given statuses, and where each ticket stands that changed lately: one look at the
-- database, so that of each late change it is known whether it was counted. Rows with an id tell of one ticket, the others count.
-- Called by: TicketLists::count. Indexes: tickets_by_queue, tickets_by_change. Locks: none.
SELECT NULL::uuid AS id, NULL::bigint AS last_seq, status, assignee_id, count(*) AS tickets
FROM tickets
WHERE workspace_id = $1 AND status = ANY ($2::text[])
GROUP BY status, assignee_id
UNION ALL
SELECT id, last_seq, status, assignee_id, 1
FROM tickets
WHERE workspace_id = $1 AND updated_at >= $3::timestamptz
