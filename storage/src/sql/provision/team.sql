-- Makes a team, unless it is there.
-- Called by: Owner::team, as the owner. Index: teams_pkey. Locks: the new row.
INSERT INTO teams (workspace_id, id, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
