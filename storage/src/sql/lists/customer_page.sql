-- One page of a customer's own tickets, newest change of the thread first. Planned anew each time, like the staff's.
-- Called by: TicketLists::list for customers. Index: tickets_by_requester. Locks: none.
SELECT id, state_version, state
FROM tickets
WHERE workspace_id = $1
  AND requester_id = $2::uuid
  AND ($3::text[] IS NULL OR status = ANY ($3))
  AND ($4::timestamptz IS NULL OR created_at >= $4)
  AND ($5::timestamptz IS NULL OR created_at < $5)
  AND ($6::timestamptz IS NULL OR thread_updated_at >= $6)
  AND ($7::timestamptz IS NULL OR thread_updated_at < $7)
  AND ($8::timestamptz IS NULL OR (thread_updated_at, id) < ($8, $9::uuid))
ORDER BY thread_updated_at DESC, id DESC
LIMIT $10::bigint
