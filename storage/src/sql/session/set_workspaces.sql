-- Says for one transaction which tenants the writer of the log serves; row security goes by it.
-- Called by: tenant::writing, and nothing else. Index: none. Locks: none.
SELECT set_config('app.workspaces', $1::uuid[]::text, true)
