-- One page of all tickets, newest change first. Planned anew each time, so that filters that are not given cost nothing.
-- Called by: TicketLists::list for staff. Indexes: tickets_by_change, tickets_by_queue, tickets_by_assignee. Locks: none.
SELECT id, state_version, state
FROM tickets
WHERE workspace_id = $1
  AND ($2::text[] IS NULL OR status = ANY ($2))
  AND ($3::uuid IS NULL OR assignee_id = $3)
  AND (NOT $4::boolean OR assignee_id IS NULL)
  AND ($5::timestamptz IS NULL OR created_at >= $5)
  AND ($6::timestamptz IS NULL OR created_at < $6)
  AND ($7::timestamptz IS NULL OR updated_at >= $7)
  AND ($8::timestamptz IS NULL OR updated_at < $8)
  AND ($9::timestamptz IS NULL OR (updated_at, id) < ($9, $10::uuid))
ORDER BY updated_at DESC, id DESC
LIMIT $11::bigint
