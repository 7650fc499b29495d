-- The event that carries a key.
-- Called by: Journal::find_key. Index: events_by_key. Locks: none.
SELECT seq, thread_seq, key_by, key_digest, key_missed FROM events WHERE workspace_id = $1 AND ticket_id = $2 AND key = $3
