-- Puts people into a team, except those who are in it.
-- Called by: Owner::team, as the owner. Index: team_members_pkey. Locks: the users' rows, shared.
INSERT INTO team_members (workspace_id, team_id, user_id)
SELECT $1, $2, m.user_id FROM unnest($3::uuid[]) AS m (user_id)
ON CONFLICT DO NOTHING
