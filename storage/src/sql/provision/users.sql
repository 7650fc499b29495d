-- Makes accounts, except those that are there.
-- Called by: Owner::users, as the owner. Index: users_workspace_id_email_key. Locks: the new rows.
INSERT INTO users (workspace_id, id, email, name, role, password_hash)
SELECT $1, u.id, u.email, u.name, u.role, u.password_hash
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[]) AS u (id, email, name, role, password_hash)
ON CONFLICT DO NOTHING
