-- How many tickets a workspace has.
-- Called by: Owner::ticket_count, so that seeds know whether anything is left to do. Index: tickets_pkey. Locks: none.
SELECT count(*) AS tickets FROM tickets WHERE workspace_id = $1
