-- What people write and have not sent yet.

-- One draft per person, ticket and audience. One that was sent or thrown away keeps its row without a text, so that its revision
-- goes on: who has seen an older one is found out. Written each second while somebody types, hence the room. The text is the only
-- thing here that anybody wrote; it may be erased (body, based_on and authors together).
CREATE TABLE drafts (
  workspace_id uuid NOT NULL,
  ticket_id    uuid NOT NULL,
  user_id      uuid NOT NULL,
  audience     text NOT NULL CHECK (audience IN ('public', 'internal')),
  revision     bigint NOT NULL CHECK (revision > 0),
  body         text,
  based_on     bigint CHECK (based_on >= 0),
  -- [{"id", "name"}]: who began it first, then who went on; those that came back may stand twice
  authors      jsonb,
  updated_at   timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, ticket_id, user_id, audience),
  CHECK (num_nulls(body, based_on, authors) IN (0, 3))
) WITH (fillfactor = 70);

DO $$
DECLARE
  tenant_table text;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY['drafts'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format($policy$
      CREATE POLICY tenant ON %I
        USING (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid))
        WITH CHECK (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid))
    $policy$, tenant_table);
    -- the writer of the log serves many tenants in one transaction
    EXECUTE format($policy$
      CREATE POLICY writer ON %I
        USING (workspace_id = ANY ((SELECT nullif(current_setting('app.workspaces', true), '')::uuid[])::uuid[]))
        WITH CHECK (workspace_id = ANY ((SELECT nullif(current_setting('app.workspaces', true), '')::uuid[])::uuid[]))
    $policy$, tenant_table);
  END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE (revision, body, based_on, authors, updated_at) ON drafts TO tandem_app;

-- What the hub has to look at by itself, and when: a held reply is to go out, a lease ends. One row per ticket, rewritten with
-- the event that changes it. Read before any tenant is known, therefore without content.
CREATE TABLE due (
  workspace_id uuid NOT NULL,
  ticket_id    uuid NOT NULL,
  due_at       timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, ticket_id)
) WITH (fillfactor = 70);
CREATE INDEX due_by_time ON due (due_at);
GRANT SELECT, INSERT, UPDATE (due_at), DELETE ON due TO tandem_app;

-- How many tickets stand in each queue is read from the index of their statuses alone, without a look at the tickets: it holds
-- whose they are beside the key. It serves whatever the one before it served, also to the code before this migration. Building
-- it keeps writers of tickets waiting for as long as it takes: a second or two for a million tickets.
CREATE INDEX tickets_by_queue ON tickets (workspace_id, status, updated_at) INCLUDE (assignee_id);
DROP INDEX tickets_by_status;
