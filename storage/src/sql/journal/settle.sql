-- What became of appends whose answer was lost: the hash that stands where the append wanted to write, and where the ticket ends.
-- Called by: the journal's writer, right after journal/hold_heads.sql in the same transaction.
-- Indexes: events_pkey, tickets_pkey. Locks: none of its own.
SELECT w.workspace_id, w.ticket_id, e.hash, coalesce(t.last_seq, 0) AS last_seq, clock_timestamp() AS at
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS w (workspace_id, ticket_id, seq)
LEFT JOIN tickets t ON t.workspace_id = w.workspace_id AND t.id = w.ticket_id
LEFT JOIN events e ON e.workspace_id = w.workspace_id AND e.ticket_id = w.ticket_id AND e.seq = w.seq
