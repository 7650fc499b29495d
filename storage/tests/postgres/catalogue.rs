//! What the catalogue must say of every table, those included that are not written yet.

use tokio_postgres::Client;

use crate::world::World;

async fn names(client: &Client, sql: &str) -> Vec<String> {
    client.query(sql, &[]).await.expect("a catalogue query").iter().map(|row| row.get(0)).collect()
}

/// The tables without a tenant, by name.
const WITHOUT_TENANT: [&str; 4] = ["due", "refinery_schema_history", "stream", "workspace_slugs"];

const TABLES: &str = "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_is_a_tenants_table_or_known_to_hold_nothing() {
    let world = World::new().await;
    let client = world.db.superuser().await;
    let without: Vec<String> = names(
        &client,
        "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
         AND (NOT c.relrowsecurity OR NOT c.relforcerowsecurity) ORDER BY 1",
    )
    .await;
    assert_eq!(without, WITHOUT_TENANT);
    let columns = names(
        &client,
        "SELECT attname::text FROM pg_attribute WHERE attrelid = 'workspace_slugs'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1",
    )
    .await;
    assert_eq!(columns, ["slug", "workspace_id"], "the directory holds nothing but names");
    let columns = names(
        &client,
        "SELECT attname::text FROM pg_attribute WHERE attrelid = 'due'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1",
    )
    .await;
    assert_eq!(columns, ["due_at", "ticket_id", "workspace_id"], "what is due is known without what it is");
    assert!(names(&client, TABLES).await.len() > 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_policy_judges_what_is_read_and_what_is_written() {
    let world = World::new().await;
    let client = world.db.superuser().await;
    let bad = names(
        &client,
        "SELECT tablename || '.' || policyname FROM pg_policies WHERE schemaname = 'public'
         AND (qual IS NULL OR with_check IS NULL OR qual <> with_check OR cmd <> 'ALL'
              OR qual !~ 'NULLIF\\(current_setting\\(''app\\.workspaces?''::text, true\\), ''''::text\\)')",
    )
    .await;
    assert_eq!(bad, [""; 0]);
    let without_policy = names(
        &client,
        "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relrowsecurity
         AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)",
    )
    .await;
    assert_eq!(without_policy, [""; 0]);
    let views = names(
        &client,
        "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('v', 'm')
         AND NOT coalesce(c.reloptions::text LIKE '%security_invoker=true%', false)",
    )
    .await;
    assert_eq!(views, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_begins_with_the_tenant() {
    let world = World::new().await;
    let client = world.db.superuser().await;
    let keys = names(
        &client,
        "SELECT i.indexrelid::regclass::text FROM pg_index i
         JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace AND c.relrowsecurity
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
         WHERE a.attname <> 'workspace_id'",
    )
    .await;
    assert_eq!(keys, [""; 0], "indexes that do not begin with the tenant");
    let foreign = names(
        &client,
        "SELECT f.conname::text FROM pg_constraint f
         JOIN pg_class c ON c.oid = f.conrelid AND c.relnamespace = 'public'::regnamespace
         JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
         JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = f.confkey[1]
         WHERE f.contype = 'f' AND (a.attname <> 'workspace_id' OR b.attname <> 'workspace_id')",
    )
    .await;
    assert_eq!(foreign, [""; 0], "foreign keys that do not begin with the tenant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hubs_role_can_do_what_it_has_to_and_nothing_more() {
    let world = World::new().await;
    let client = world.db.superuser().await;
    let rights = names(
        &client,
        "SELECT t.name || ': ' || string_agg(r.name, ' ' ORDER BY r.name)
         FROM (SELECT c.relname::text AS name, c.oid FROM pg_class c
               WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')) t
         CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('REFERENCES'), ('TRIGGER')) AS r (name)
         WHERE has_table_privilege('tandem_app', t.oid, r.name)
         GROUP BY t.name ORDER BY 1",
    )
    .await;
    assert_eq!(
        rights,
        [
            "categories: SELECT",
            "drafts: INSERT SELECT",
            "due: DELETE INSERT SELECT",
            "events: INSERT SELECT",
            "notification_heads: INSERT SELECT",
            "notifications: INSERT SELECT",
            "read_cursors: INSERT SELECT",
            "refinery_schema_history: SELECT",
            "sessions: INSERT SELECT",
            "stream: SELECT",
            "team_members: SELECT",
            "teams: SELECT",
            "tickets: INSERT SELECT UPDATE",
            "users: SELECT",
            "workspace_slugs: SELECT",
            "workspaces: SELECT",
        ]
    );
    let columns = names(
        &client,
        "SELECT a.attrelid::regclass || '.' || a.attname FROM pg_attribute a
         JOIN pg_class c ON c.oid = a.attrelid AND c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
         WHERE a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege('tandem_app', a.attrelid, a.attnum, 'UPDATE')
         AND NOT has_table_privilege('tandem_app', a.attrelid, 'UPDATE') ORDER BY 1",
    )
    .await;
    let expected = [
        "drafts.authors",
        "drafts.based_on",
        "drafts.body",
        "drafts.revision",
        "drafts.updated_at",
        "due.due_at",
        "notification_heads.last_seq",
        "read_cursors.seq",
        "sessions.revoked_at",
        "workspaces.next_number",
    ];
    assert_eq!(columns, expected);
    let powers = names(
        &client,
        "SELECT rolname::text FROM pg_roles WHERE rolname IN ('tandem_app', 'tandem_test_app')
         AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR has_schema_privilege(oid, 'public', 'CREATE')
              OR has_database_privilege(oid, current_database(), 'CREATE'))",
    )
    .await;
    assert_eq!(powers, [""; 0]);
    let functions = names(
        &client,
        "SELECT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
         AND NOT coalesce(p.proconfig::text LIKE '%search_path=%', false)",
    )
    .await;
    assert_eq!(functions, [""; 0], "SECURITY DEFINER without a pinned search_path");
}
