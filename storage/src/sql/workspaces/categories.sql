-- The categories of a workspace, by name.
-- Called by: Workspaces::facts. Index: categories_workspace_id_name_key. Locks: none.
SELECT id, name FROM categories WHERE workspace_id = $1 ORDER BY name
