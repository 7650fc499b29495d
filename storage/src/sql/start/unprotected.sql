-- Tables with tenants' rows that row security does not bind, even for their owner.
-- Called by: the start of the hub. Index: none. Locks: none.
SELECT c.relname::text AS name
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname NOT IN ('workspace_slugs', 'due')
  AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
ORDER BY 1
