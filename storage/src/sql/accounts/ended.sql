-- Which of these sign-ins are no longer valid: ended, expired, unknown, person inactive or with another role.
-- Called by: Accounts::ended, each second. Index: sessions_pkey. Locks: none.
SELECT w.id
FROM unnest($2::uuid[], $3::text[]) AS w (id, role)
LEFT JOIN sessions s ON s.workspace_id = $1 AND s.id = w.id AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
LEFT JOIN users u ON u.workspace_id = $1 AND u.id = s.user_id AND u.is_active AND u.role = w.role
WHERE u.id IS NULL
