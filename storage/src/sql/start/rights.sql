-- Which tables the connected role cannot use as the hub has to.
-- Called by: the start of the hub. Index: none. Locks: none.
SELECT t.name || ': ' || t.wanted AS missing
FROM (VALUES ('workspaces', 'SELECT'), ('workspace_slugs', 'SELECT'), ('users', 'SELECT'), ('teams', 'SELECT'), ('categories', 'SELECT'),
             ('sessions', 'SELECT'), ('sessions', 'INSERT'), ('tickets', 'SELECT'), ('tickets', 'INSERT'), ('tickets', 'UPDATE'),
             ('events', 'SELECT'), ('events', 'INSERT'), ('stream', 'SELECT'), ('due', 'SELECT')) AS t (name, wanted)
WHERE NOT has_table_privilege('public.' || t.name, t.wanted)
ORDER BY 1
