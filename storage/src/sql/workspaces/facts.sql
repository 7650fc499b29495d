-- What a workspace decided about itself.
-- Called by: Workspaces::facts. Index: workspaces_pkey. Locks: none.
SELECT slug, name, number_prefix, workflow FROM workspaces WHERE workspace_id = $1
