-- What each person is told of, numbered per person, and how far each has read each ticket.

-- The number of each person's last notification. One row per person, rewritten with each: kept apart, and with room, so that
-- neither the people nor any index is.
CREATE TABLE notification_heads (
  workspace_id uuid NOT NULL,
  user_id      uuid NOT NULL,
  last_seq     bigint NOT NULL CHECK (last_seq > 0),
  PRIMARY KEY (workspace_id, user_id)
) WITH (fillfactor = 50);

-- Written in the transaction of the event they tell of. They hold no content: what is told is read from the event.
CREATE TABLE notifications (
  workspace_id uuid NOT NULL,
  user_id      uuid NOT NULL,
  seq          bigint NOT NULL CHECK (seq > 0),
  reason       text NOT NULL,
  ticket_id    uuid NOT NULL,
  ticket_seq   bigint NOT NULL CHECK (ticket_seq > 0),
  PRIMARY KEY (workspace_id, user_id, seq)
);

-- Counted as the person counts: staff in the ticket's numbers, customers in the thread's.
CREATE TABLE read_cursors (
  workspace_id uuid NOT NULL,
  user_id      uuid NOT NULL,
  ticket_id    uuid NOT NULL,
  seq          bigint NOT NULL CHECK (seq >= 0),
  PRIMARY KEY (workspace_id, user_id, ticket_id)
) WITH (fillfactor = 70);

DO $$
DECLARE
  tenant_table text;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY['notification_heads', 'notifications', 'read_cursors'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format($policy$
      CREATE POLICY tenant ON %I
        USING (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid))
        WITH CHECK (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid))
    $policy$, tenant_table);
  END LOOP;
  -- the writer of the log serves many tenants in one transaction
  FOREACH tenant_table IN ARRAY ARRAY['notification_heads', 'notifications'] LOOP
    EXECUTE format($policy$
      CREATE POLICY writer ON %I
        USING (workspace_id = ANY ((SELECT nullif(current_setting('app.workspaces', true), '')::uuid[])::uuid[]))
        WITH CHECK (workspace_id = ANY ((SELECT nullif(current_setting('app.workspaces', true), '')::uuid[])::uuid[]))
    $policy$, tenant_table);
  END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE (last_seq) ON notification_heads TO tandem_app;
GRANT SELECT, INSERT ON notifications TO tandem_app;
GRANT SELECT, INSERT, UPDATE (seq) ON read_cursors TO tandem_app;
