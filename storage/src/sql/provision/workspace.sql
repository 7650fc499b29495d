-- Makes a workspace, unless it is there.
-- Called by: Owner::workspace, as the owner. Index: workspaces_pkey. Locks: the new row.
INSERT INTO workspaces (workspace_id, slug, name, number_prefix, workflow, next_number)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (workspace_id) DO NOTHING
