-- The drafts of a ticket, those with a text first, newest first; those without one tell their revision.
-- Called by: Drafts::of_ticket. Index: drafts_pkey. Locks: none.
SELECT user_id, audience, revision, body, based_on, authors, updated_at
FROM drafts
WHERE workspace_id = $1 AND ticket_id = $2
ORDER BY body IS NULL, updated_at DESC
LIMIT $3
