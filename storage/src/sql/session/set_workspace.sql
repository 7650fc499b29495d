-- Says for one transaction which tenant it serves; row security goes by it.
-- Called by: tenant::query, and nothing else. Index: none. Locks: none.
SELECT set_config('app.workspace', $1, true)
