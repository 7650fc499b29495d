-- A ticket as its row tells it.
-- Called by: Journal::load. Index: tickets_pkey. Locks: none.
SELECT state_version, state FROM tickets WHERE workspace_id = $1 AND id = $2
