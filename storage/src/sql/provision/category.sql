-- Makes a category, unless it is there.
-- Called by: Owner::category, as the owner. Index: categories_pkey. Locks: the new row.
INSERT INTO categories (workspace_id, id, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
