-- Draws a block of ticket numbers that nobody else will ever get; answers the first of them.
-- Called by: Workspaces::lease_numbers. Index: workspaces_pkey. Locks: the workspace's row, alone in its transaction.
UPDATE workspaces SET next_number = next_number + $2 WHERE workspace_id = $1 RETURNING next_number - $2 AS first
