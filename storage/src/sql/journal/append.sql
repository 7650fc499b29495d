-- The fence: appends to many tickets, each of them wholly or not at all; who is absent from the answer wrote nothing.
-- Called by: the journal's writer and the seeds, once per batch, in a transaction with app.workspaces set.
-- What an event does to drafts is done with it: one is spent (its text goes), a text comes back (after what is there).
-- Whoever is told of an event gets a notification with the next number of that person.
-- Indexes: tickets_pkey (wanted rows), events_by_key (spent keys), drafts_pkey, notification_heads_pkey.
-- Locks: the ticket rows, in order and without waiting (SKIP LOCKED); a new ticket waits only for another that makes the same one.
-- Then the drafts of these tickets, in the order of their key, waiting for those who save them, who wait for nothing but drafts.
-- Then the heads of those who are told, in order, waiting: last, so that whoever holds one waits for nothing but other heads.
-- Plan: the writer's connection allows nothing but nested loops over indexes; the memberships (NOT IN, IS TRUE) are hashed lists.
-- A key that is used between this snapshot and the row's lock breaks the unique index; the batch is then tried one by one.
WITH
wanted AS MATERIALIZED (
  SELECT *
  FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::uuid[], $10::uuid[],
              $11::uuid[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::bigint[], $16::bigint[], $17::bytea[],
              $18::smallint[], $19::jsonb[])
       AS w (workspace_id, ticket_id, expected_seq, number, title, status, priority, category_id, assignee_id, team_id,
             requester_id, created_at, updated_at, thread_updated_at, last_seq, last_thread_seq, head_hash,
             state_version, state)
),
written AS MATERIALIZED (
  SELECT *
  FROM unnest($20::uuid[], $21::uuid[], $22::bigint[], $23::bigint[], $24::timestamptz[], $25::bytea[], $26::bytea[], $27::bytea[],
              $28::bytea[], $29::bytea[], $30::uuid[], $31::uuid[], $32::bytea[], $33::boolean[])
       AS e (workspace_id, ticket_id, seq, thread_seq, at, data, private, salt,
             commitment, hash, key, key_by, key_digest, key_missed)
),
spent AS MATERIALIZED (
  SELECT w.workspace_id, w.ticket_id
  FROM written w
  JOIN events e ON e.workspace_id = w.workspace_id AND e.ticket_id = w.ticket_id AND e.key = w.key
),
locked AS MATERIALIZED (
  SELECT w.*
  FROM wanted w
  JOIN tickets t ON t.workspace_id = w.workspace_id AND t.id = w.ticket_id AND t.last_seq = w.expected_seq
  WHERE w.expected_seq > 0 AND (w.workspace_id, w.ticket_id) NOT IN (SELECT workspace_id, ticket_id FROM spent)
  ORDER BY t.workspace_id, t.id
  FOR NO KEY UPDATE OF t SKIP LOCKED
),
moved AS (
  UPDATE tickets t
  SET title = l.title, status = l.status, priority = l.priority, category_id = l.category_id, assignee_id = l.assignee_id,
      team_id = l.team_id, updated_at = l.updated_at, thread_updated_at = l.thread_updated_at, last_seq = l.last_seq,
      last_thread_seq = l.last_thread_seq, head_hash = l.head_hash, state_version = l.state_version, state = l.state
  FROM locked l
  WHERE t.workspace_id = l.workspace_id AND t.id = l.ticket_id AND t.last_seq = l.expected_seq
  RETURNING t.workspace_id, t.id AS ticket_id
),
made AS (
  INSERT INTO tickets (workspace_id, id, number, title, status, priority, category_id, assignee_id, team_id, requester_id,
                       created_at, updated_at, thread_updated_at, last_seq, last_thread_seq, head_hash, state_version, state)
  SELECT workspace_id, ticket_id, number, title, status, priority, category_id, assignee_id, team_id, requester_id,
         created_at, updated_at, thread_updated_at, last_seq, last_thread_seq, head_hash, state_version, state
  FROM wanted
  WHERE expected_seq = 0
  ORDER BY workspace_id, ticket_id
  ON CONFLICT (workspace_id, id) DO NOTHING
  RETURNING workspace_id, id AS ticket_id
),
fenced AS MATERIALIZED (
  SELECT workspace_id, ticket_id FROM moved
  UNION ALL
  SELECT workspace_id, ticket_id FROM made
),
inserted AS (
  INSERT INTO events (workspace_id, ticket_id, seq, thread_seq, at, data, private, salt, commitment, hash, key, key_by, key_digest, key_missed)
  SELECT workspace_id, ticket_id, seq, thread_seq, at, data, private, salt, commitment, hash, key, key_by, key_digest, key_missed
  FROM written
  WHERE ((workspace_id, ticket_id) IN (SELECT workspace_id, ticket_id FROM fenced)) IS TRUE
  ORDER BY workspace_id, ticket_id, seq
  RETURNING workspace_id, ticket_id
),
-- Each draft at most once. One step: a text goes (none is given), or one comes; two: what is there goes, and then one comes.
-- Where there is no text, none is spent.
-- `said`: a text goes only if it is this one.
draft_changes AS MATERIALIZED (
  SELECT *
  FROM unnest($39::uuid[], $40::uuid[], $41::uuid[], $42::text[], $43::bigint[], $44::text[], $45::bigint[], $46::jsonb[], $47::timestamptz[],
              $48::text[])
       AS c (workspace_id, ticket_id, user_id, audience, steps, body, based_on, authors, at, said)
  WHERE ((workspace_id, ticket_id) IN (SELECT workspace_id, ticket_id FROM fenced)) IS TRUE
),
drafted AS (
  INSERT INTO drafts AS d (workspace_id, ticket_id, user_id, audience, revision, body, based_on, authors, updated_at)
  SELECT c.workspace_id, c.ticket_id, c.user_id, c.audience, c.steps, c.body, c.based_on, c.authors, c.at
  FROM draft_changes c
  WHERE (c.body IS NOT NULL
         OR EXISTS (SELECT FROM drafts x
                    WHERE x.workspace_id = c.workspace_id AND x.ticket_id = c.ticket_id AND x.user_id = c.user_id
                      AND x.audience = c.audience AND x.body IS NOT NULL))
  ORDER BY c.workspace_id, c.ticket_id, c.user_id, c.audience
  ON CONFLICT (workspace_id, ticket_id, user_id, audience) DO UPDATE
  SET revision = d.revision + excluded.revision,
      body = CASE WHEN excluded.revision > 1 OR d.body IS NULL OR d.body = '' THEN excluded.body
                  WHEN excluded.body = '' THEN d.body
                  ELSE d.body || E'\n\n' || excluded.body END,
      based_on = CASE WHEN excluded.revision > 1 OR d.body IS NULL OR excluded.body IS NULL THEN excluded.based_on
                      ELSE least(d.based_on, excluded.based_on) END,
      authors = CASE WHEN excluded.revision > 1 OR d.body IS NULL THEN excluded.authors ELSE d.authors || excluded.authors END,
      updated_at = excluded.updated_at
  WHERE NOT EXISTS (SELECT FROM draft_changes c
                    WHERE c.workspace_id = d.workspace_id AND c.ticket_id = d.ticket_id AND c.user_id = d.user_id
                      AND c.audience = d.audience AND c.said IS NOT NULL AND c.said IS DISTINCT FROM d.body)
  RETURNING 1
),
-- When the hub has to look at a ticket by itself. Rows of tickets that are locked: nobody else writes them.
is_due AS MATERIALIZED (
  SELECT *
  FROM unnest($49::uuid[], $50::uuid[], $51::timestamptz[]) AS d (workspace_id, ticket_id, due_at)
  WHERE ((workspace_id, ticket_id) IN (SELECT workspace_id, ticket_id FROM fenced)) IS TRUE
),
became_due AS (
  INSERT INTO due (workspace_id, ticket_id, due_at)
  SELECT workspace_id, ticket_id, due_at FROM is_due WHERE due_at IS NOT NULL
  ON CONFLICT (workspace_id, ticket_id) DO UPDATE SET due_at = excluded.due_at
),
no_longer_due AS (
  DELETE FROM due d
  USING is_due i
  WHERE d.workspace_id = i.workspace_id AND d.ticket_id = i.ticket_id AND i.due_at IS NULL
),
-- Looks at what was drafted, so that the drafts are locked before the heads.
told AS MATERIALIZED (
  SELECT *
  FROM unnest($34::uuid[], $35::uuid[], $36::bigint[], $37::uuid[], $38::text[])
       WITH ORDINALITY AS n (workspace_id, ticket_id, ticket_seq, user_id, reason, place)
  WHERE ((workspace_id, ticket_id) IN (SELECT workspace_id, ticket_id FROM fenced)) IS TRUE
    AND (SELECT count(*) FROM drafted) >= 0
),
heads AS (
  INSERT INTO notification_heads AS h (workspace_id, user_id, last_seq)
  SELECT workspace_id, user_id, count(*)
  FROM told
  GROUP BY workspace_id, user_id
  ORDER BY workspace_id, user_id
  ON CONFLICT (workspace_id, user_id) DO UPDATE SET last_seq = h.last_seq + excluded.last_seq
  RETURNING h.workspace_id, h.user_id, h.last_seq
),
-- how far before the head of its person each one stands
placed AS (
  SELECT told.*, count(*) OVER (PARTITION BY workspace_id, user_id)
         - row_number() OVER (PARTITION BY workspace_id, user_id ORDER BY place) AS back
  FROM told
),
notified AS (
  INSERT INTO notifications (workspace_id, user_id, seq, reason, ticket_id, ticket_seq)
  SELECT p.workspace_id, p.user_id, h.last_seq - p.back, p.reason, p.ticket_id, p.ticket_seq
  FROM placed p
  JOIN heads h ON h.workspace_id = p.workspace_id AND h.user_id = p.user_id
  RETURNING workspace_id, user_id, seq, reason, ticket_id, ticket_seq
)
SELECT workspace_id, ticket_id, NULL::uuid AS user_id, NULL::bigint AS seq, NULL::text AS reason, NULL::bigint AS ticket_seq,
       clock_timestamp() AS at
FROM inserted
GROUP BY workspace_id, ticket_id
UNION ALL
SELECT workspace_id, ticket_id, user_id, seq, reason, ticket_seq, NULL
FROM notified
