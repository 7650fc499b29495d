-- Everybody active who is no customer, by name.
-- Called by: Workspaces::facts. Index: users_by_role. Locks: none.
SELECT id, name, role FROM users WHERE workspace_id = $1 AND role = ANY ($2) AND is_active ORDER BY name, id
