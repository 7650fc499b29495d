-- Moves a person's cursor on a ticket forward, or to exactly $4 with $6: $5 limits the ticket to this requester's own and counts in its thread.
-- Answers where the ticket ends, and where the cursor stands now; no row where there is no such ticket to see, no cursor where
-- the ticket ends before it.
-- Called by: Notifications::mark_read. Index: tickets_pkey, read_cursors_pkey. Locks: the cursor's row.
WITH seen AS MATERIALIZED (
  SELECT CASE WHEN $5 THEN last_thread_seq ELSE last_seq END AS head
  FROM tickets
  WHERE workspace_id = $1 AND id = $3 AND (NOT $5 OR requester_id = $2)
),
moved AS (
  INSERT INTO read_cursors AS c (workspace_id, user_id, ticket_id, seq)
  SELECT $1, $2, $3, $4::bigint FROM seen WHERE head >= $4
  ON CONFLICT (workspace_id, user_id, ticket_id) DO UPDATE SET seq = CASE WHEN $6 THEN excluded.seq ELSE greatest(c.seq, excluded.seq) END
  RETURNING seq
)
SELECT seen.head, (SELECT seq FROM moved) AS seq FROM seen
