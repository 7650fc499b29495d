-- Lets a workspace be found by its short name.
-- Called by: Owner::workspace, as the owner. Index: workspace_slugs_pkey. Locks: the new row.
INSERT INTO workspace_slugs (slug, workspace_id) VALUES ($1, $2) ON CONFLICT (slug) DO NOTHING
