-- Writes drafts of one ticket, each only where the revision before it is the present one (none is 0); answers those it wrote.
-- Called by: Drafts::save. Index: drafts_pkey. Locks: the rows of the drafts, in the order of their key.
INSERT INTO drafts AS d (workspace_id, ticket_id, user_id, audience, revision, body, based_on, authors, updated_at)
SELECT $1, $2, w.user_id, w.audience, w.revision, w.body, w.based_on, w.authors, w.updated_at
FROM unnest($3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::jsonb[], $9::timestamptz[])
     AS w (user_id, audience, revision, body, based_on, authors, updated_at)
WHERE w.revision = 1
   OR EXISTS (SELECT FROM drafts x
              WHERE x.workspace_id = $1 AND x.ticket_id = $2 AND x.user_id = w.user_id AND x.audience = w.audience)
ORDER BY w.user_id, w.audience
ON CONFLICT (workspace_id, ticket_id, user_id, audience) DO UPDATE
SET revision = excluded.revision, body = excluded.body, based_on = excluded.based_on, authors = excluded.authors,
    updated_at = excluded.updated_at
WHERE d.revision = excluded.revision - 1
RETURNING d.user_id, d.audience
