-- Workspaces, people, sign-ins, tickets and their log; row security on all of it; the rights of the hub's role.

-- The hub's role. Where the one who migrates may not create roles, it has to be there already.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tandem_app') THEN
    CREATE ROLE tandem_app NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
  END IF;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL; -- another database of this server was migrated at the same moment
END
$$;

CREATE TABLE workspaces (
  workspace_id  uuid PRIMARY KEY,
  slug          text NOT NULL CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name          text NOT NULL,
  number_prefix text NOT NULL,
  workflow      jsonb NOT NULL,
  -- the number the next ticket gets; drawn in blocks, gaps allowed, never reused
  next_number   bigint NOT NULL DEFAULT 1 CHECK (next_number > 0),
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Which workspace a short name means: read before the tenant is known, therefore without content.
CREATE TABLE workspace_slugs (
  slug         text PRIMARY KEY,
  workspace_id uuid NOT NULL UNIQUE REFERENCES workspaces (workspace_id)
);

CREATE TABLE users (
  workspace_id  uuid NOT NULL REFERENCES workspaces (workspace_id),
  id            uuid NOT NULL,
  email         text NOT NULL CHECK (email = lower(email)),
  name          text NOT NULL,
  role          text NOT NULL,
  password_hash text NOT NULL,
  is_active     boolean NOT NULL DEFAULT true,
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (workspace_id, id),
  UNIQUE (workspace_id, email)
);
CREATE INDEX users_by_role ON users (workspace_id, role, name);

CREATE TABLE teams (
  workspace_id uuid NOT NULL REFERENCES workspaces (workspace_id),
  id           uuid NOT NULL,
  name         text NOT NULL,
  PRIMARY KEY (workspace_id, id),
  UNIQUE (workspace_id, name)
);

CREATE TABLE team_members (
  workspace_id uuid NOT NULL,
  team_id      uuid NOT NULL,
  user_id      uuid NOT NULL,
  PRIMARY KEY (workspace_id, team_id, user_id),
  FOREIGN KEY (workspace_id, team_id) REFERENCES teams (workspace_id, id) ON DELETE CASCADE,
  FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX team_members_by_user ON team_members (workspace_id, user_id);

CREATE TABLE categories (
  workspace_id uuid NOT NULL REFERENCES workspaces (workspace_id),
  id           uuid NOT NULL,
  name         text NOT NULL,
  PRIMARY KEY (workspace_id, id),
  UNIQUE (workspace_id, name)
);

CREATE TABLE sessions (
  workspace_id uuid NOT NULL,
  id           uuid NOT NULL,
  user_id      uuid NOT NULL,
  token_hash   bytea NOT NULL CHECK (octet_length(token_hash) = 32),
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at   timestamptz NOT NULL,
  revoked_at   timestamptz,
  PRIMARY KEY (workspace_id, id),
  UNIQUE (workspace_id, token_hash),
  FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX sessions_by_user ON sessions (workspace_id, user_id);

-- A projection of the log: what lists filter by, and the whole state, so that nothing is ever replayed to act on a ticket.
-- Every append rewrites the row, hence the room left in each page.
CREATE TABLE tickets (
  workspace_id      uuid NOT NULL REFERENCES workspaces (workspace_id),
  id                uuid NOT NULL,
  number            bigint NOT NULL,
  title             text NOT NULL,
  status            text NOT NULL,
  priority          text NOT NULL,
  category_id       uuid,
  assignee_id       uuid,
  team_id           uuid,
  requester_id      uuid NOT NULL,
  created_at        timestamptz NOT NULL,
  updated_at        timestamptz NOT NULL,
  thread_updated_at timestamptz NOT NULL,
  last_seq          bigint NOT NULL CHECK (last_seq > 0),
  last_thread_seq   bigint NOT NULL CHECK (last_thread_seq BETWEEN 0 AND last_seq),
  head_hash         bytea NOT NULL CHECK (octet_length(head_hash) = 32),
  state_version     smallint NOT NULL,
  state             jsonb NOT NULL,
  PRIMARY KEY (workspace_id, id),
  UNIQUE (workspace_id, number)
) WITH (fillfactor = 70);
-- Lists are ordered by time and then by id. The id is left out of their indexes: sorting the few of one millisecond costs
-- nothing, and an index that held it could be taken for the way to a single ticket while the table is young.
CREATE INDEX tickets_by_change    ON tickets (workspace_id, updated_at);
CREATE INDEX tickets_by_status    ON tickets (workspace_id, status, updated_at);
CREATE INDEX tickets_by_assignee  ON tickets (workspace_id, assignee_id, updated_at);
CREATE INDEX tickets_by_requester ON tickets (workspace_id, requester_id, thread_updated_at);

-- The log. `data` is never personal; `private` and `salt` are the only columns that may ever be erased.
CREATE TABLE events (
  workspace_id uuid NOT NULL,
  ticket_id    uuid NOT NULL,
  seq          bigint NOT NULL CHECK (seq > 0),
  thread_seq   bigint CHECK (thread_seq BETWEEN 1 AND seq),
  at           timestamptz NOT NULL,
  data         bytea NOT NULL,
  private      bytea,
  salt         bytea,
  commitment   bytea NOT NULL CHECK (octet_length(commitment) = 32),
  hash         bytea NOT NULL CHECK (octet_length(hash) = 32),
  -- on the first event of an intent: its key, who used it, for what, and whether that person had missed something
  key          uuid,
  key_by       uuid,
  key_digest   bytea,
  key_missed   boolean,
  PRIMARY KEY (workspace_id, ticket_id, seq),
  CHECK ((private IS NULL) = (salt IS NULL)),
  CHECK (num_nulls(key, key_by, key_digest, key_missed) IN (0, 4))
);
CREATE UNIQUE INDEX events_by_thread_seq ON events (workspace_id, ticket_id, thread_seq) WHERE thread_seq IS NOT NULL;
CREATE UNIQUE INDEX events_by_key ON events (workspace_id, ticket_id, key) WHERE key IS NOT NULL;

-- How often the log was set back to an older state: part of what every number counts in.
CREATE TABLE stream (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  restores bigint NOT NULL DEFAULT 0
);
INSERT INTO stream DEFAULT VALUES;

-- Row security. The tenant is set for one transaction at a time; where it is not set there are no rows. The sub-select makes
-- Postgres read the setting once per statement, not once per row. An unset custom setting reads as '' once it was set before.
DO $$
DECLARE
  tenant_table text;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY['workspaces', 'users', 'teams', 'team_members', 'categories', 'sessions', 'tickets', 'events'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format($policy$
      CREATE POLICY tenant ON %I
        USING (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid))
        WITH CHECK (workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::uuid))
    $policy$, tenant_table);
  END LOOP;
  -- the writer of the log serves many tenants in one transaction
  FOREACH tenant_table IN ARRAY ARRAY['tickets', 'events'] LOOP
    EXECUTE format($policy$
      CREATE POLICY writer ON %I
        USING (workspace_id = ANY ((SELECT nullif(current_setting('app.workspaces', true), '')::uuid[])::uuid[]))
        WITH CHECK (workspace_id = ANY ((SELECT nullif(current_setting('app.workspaces', true), '')::uuid[])::uuid[]))
    $policy$, tenant_table);
  END LOOP;
END
$$;

-- Rights. Nobody changes or deletes an event; who erases has a role of its own.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO tandem_app;
GRANT SELECT ON refinery_schema_history, workspace_slugs, stream, users, teams, team_members, categories TO tandem_app;
GRANT SELECT, UPDATE (next_number) ON workspaces TO tandem_app;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON sessions TO tandem_app;
GRANT SELECT, INSERT, UPDATE ON tickets TO tandem_app;
GRANT SELECT, INSERT ON events TO tandem_app;
