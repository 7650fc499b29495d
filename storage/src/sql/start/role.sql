-- What the connected role is, and could become.
-- Called by: the start of the hub, which refuses a role that row security does not bind. Index: none. Locks: none.
SELECT current_user::text AS name,
       bool_or(r.rolsuper) AS is_super,
       bool_or(r.rolbypassrls) AS bypasses_rls,
       coalesce((SELECT min(c.relname::text)
                 FROM pg_class c
                 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                   AND pg_has_role(c.relowner, 'MEMBER')), '') AS owns,
       has_schema_privilege('public', 'CREATE') AS may_create,
       to_regclass('public.refinery_schema_history') IS NOT NULL AS is_migrated
FROM pg_roles r
WHERE pg_has_role(r.oid, 'MEMBER')
