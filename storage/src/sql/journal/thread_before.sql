-- The last events before a number, in the thread's numbering; newest first.
-- Called by: Journal::events, which turns them round. Index: events_by_thread_seq. Locks: none.
SELECT data, private FROM events WHERE workspace_id = $1 AND ticket_id = $2 AND thread_seq < $3 ORDER BY thread_seq DESC LIMIT $4
