-- What the server is and how it is set: for `hub doctor`.
-- Called by: the examination of a database. Index: none. Locks: none.
SELECT current_setting('server_version') AS version_name,
       current_setting('server_version_num')::int / 10000 AS version,
       current_setting('fsync')::bool AS fsync,
       current_setting('full_page_writes')::bool AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS connections,
       clock_timestamp() AS at
