-- What makes one life of the log: the server, the timeline it writes, the database, and how often it was restored.
-- Called by: the start of the hub, and the journal's writer after each reconnect. Index: none. Locks: none.
SELECT (pg_control_system()).system_identifier AS system,
       left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline,
       (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database,
       restores,
       clock_timestamp() AS at
FROM stream
