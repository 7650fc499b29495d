-- The teams of a workspace, by name.
-- Called by: Workspaces::facts. Index: teams_workspace_id_name_key. Locks: none.
SELECT id, name FROM teams WHERE workspace_id = $1 ORDER BY name
