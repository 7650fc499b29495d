-- How far the database is migrated.
-- Called by: the start of the hub. Index: refinery_schema_history_pkey. Locks: none.
SELECT coalesce(max(version), 0)::bigint AS version FROM refinery_schema_history
