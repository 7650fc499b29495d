//! Lists over Postgres answer like the lists in memory, page by page.

use hub_core::ids::UserId;
use hub_core::ports::{Appended, AssigneeFilter, Journal, ListCursor, TicketLists, TicketQuery};
use hub_core::rules::counters::Counted;
use hub_core::rules::intent::{Intent, Step};
use hub_core::rules::permissions::{Role, Side};
use hub_core::testing::{MemoryJournal, Sample, asker};
use hub_core::time::UnixMs;
use hub_core::wire::Patch;
use uuid::Uuid;

use crate::world::{World, fresh_in};

const CUSTOMERS: [u128; 2] = [100, 101];

fn query(side: Side) -> TicketQuery {
    TicketQuery {
        side,
        user: UserId::new(Uuid::from_u128(CUSTOMERS[0])),
        status: Vec::new(),
        assignee: AssigneeFilter::Any,
        created_from: None,
        created_until: None,
        updated_from: None,
        updated_until: None,
        cursor: None,
        limit: 7,
    }
}

/// 30 tickets of two customers, some assigned, some resolved, some with notes; the same in memory and in Postgres.
async fn filled(world: &World) -> MemoryJournal {
    let memory = MemoryJournal::new();
    for at in 0..30_u128 {
        let mut sample = Sample::of(fresh_in(world.acme));
        sample.customer = asker(Role::Customer, CUSTOMERS[usize::from(at % 3 == 0)]);
        let mut appends = vec![sample.creation()];
        sample.state = Some((*appends[0].state).clone());
        if at % 2 == 0 {
            appends.push(sample.note("looked at it"));
            sample.state = Some((*appends[1].state).clone());
        }
        let steps = match at % 4 {
            0 => vec![Step::Assign { assignee_id: Patch::Set(sample.agent.user), team_id: Patch::Keep }],
            1 => vec![Step::ChangeStatus { status: "resolved".into(), based_on: None, note: None, force: true }],
            _ => vec![],
        };
        if !steps.is_empty() {
            let intent = Intent { key: sample.fresh_key(), by: sample.agent.clone(), steps };
            appends.push(sample.append_of(&intent));
        }
        for append in appends {
            assert!(matches!(memory.append(append.clone()).await, Ok(Appended::Committed { .. })));
            assert!(matches!(world.store.append(append).await, Ok(Appended::Committed { .. })));
        }
    }
    memory
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_filter_answers_as_in_memory_on_every_page() {
    let world = World::new().await;
    let memory = filled(&world).await;
    let agent = UserId::new(Uuid::from_u128(7));
    let middle = UnixMs(1_700_000_002_123);
    let queries = [
        query(Side::Staff),
        query(Side::Customer),
        query(Side::Platform),
        TicketQuery { status: vec!["resolved".into()], ..query(Side::Staff) },
        TicketQuery { status: vec!["open".into(), "resolved".into()], ..query(Side::Customer) },
        TicketQuery { status: vec!["nowhere".into()], ..query(Side::Staff) },
        TicketQuery { assignee: AssigneeFilter::User(agent), ..query(Side::Staff) },
        TicketQuery { assignee: AssigneeFilter::Unassigned, ..query(Side::Staff) },
        TicketQuery { assignee: AssigneeFilter::Unassigned, status: vec!["open".into()], ..query(Side::Staff) },
        TicketQuery { updated_from: Some(middle), ..query(Side::Staff) },
        TicketQuery { updated_until: Some(middle), ..query(Side::Staff) },
        TicketQuery { updated_from: Some(middle), ..query(Side::Customer) },
        TicketQuery { created_from: Some(middle), ..query(Side::Staff) },
        TicketQuery { created_until: Some(middle), limit: 100, ..query(Side::Customer) },
    ];
    for query in queries {
        let mut cursor: Option<ListCursor> = None;
        let mut pages = 0;
        loop {
            let query = TicketQuery { cursor, ..query.clone() };
            let expected = memory.lists().list(world.acme, query.clone()).await.expect("answers");
            let found = world.store.list(world.acme, query.clone()).await.expect("answers");
            assert_eq!(found, expected, "{query:?}");
            pages += 1;
            cursor = found.next;
            if cursor.is_none() {
                break;
            }
        }
        assert!(pages <= 5);
    }
    let elsewhere = world.store.list(world.globex, query(Side::Staff)).await.expect("answers");
    assert!(elsewhere.tickets.is_empty() && elsewhere.next.is_none());
}

/// In one order, whoever answers.
fn sorted(mut counted: Counted) -> Counted {
    counted.queues.sort();
    counted.recent.sort();
    counted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_are_counted_as_in_memory_and_only_for_their_tenant() {
    let world = World::new().await;
    let memory = filled(&world).await;
    let middle = UnixMs(1_700_000_002_123);
    for (statuses, since) in [
        (vec!["open", "in_progress"], UnixMs(0)),
        (vec!["open", "in_progress"], middle),
        (vec!["resolved"], UnixMs(4_000_000_000_000)),
        (vec![], middle),
    ] {
        let statuses: Vec<String> = statuses.into_iter().map(str::to_owned).collect();
        let expected = memory.lists().count(world.acme, statuses.clone(), since).await.expect("answers");
        let found = world.store.count(world.acme, statuses.clone(), since).await.expect("answers");
        assert_eq!(sorted(found), sorted(expected), "{statuses:?} since {since}");
        let elsewhere = world.store.count(world.globex, statuses, since).await.expect("answers");
        assert_eq!(elsewhere, Counted::default());
    }
    let all = world.store.count(world.acme, vec!["open".into()], UnixMs(0)).await.expect("answers");
    assert_eq!(all.recent.len(), 30);
    assert!(all.queues.iter().any(|(queue, count)| queue.assignee.is_none() && *count > 5), "{:?}", all.queues);
}

/// 20,000 tickets, most of them of another tenant, with states as heavy as usual, behind the store's back.
async fn crowd(world: &World) {
    let superuser = world.db.superuser().await;
    let (acme, globex) = (world.acme.uuid(), world.globex.uuid());
    let sql = "INSERT INTO tickets
        SELECT CASE WHEN n % 4 = 0 THEN $1::uuid ELSE $2::uuid END, gen_random_uuid(), n, 'A ticket', (ARRAY['open', 'closed', 'in_progress'])[1 + n % 3],
               'p3', NULL, CASE WHEN n % 5 = 0 THEN NULL ELSE md5((n % 50)::text)::uuid END, NULL, md5(n::text)::uuid,
               now() - n * interval '1 min', now() - n * interval '1 min', now() - n * interval '1 min', 1, 1, sha256('x'), 1,
               jsonb_build_object('description', repeat(md5(n::text), 30))
        FROM generate_series(1, 20000) n";
    // What is committed without waiting for the disk is not vacuumed yet.
    superuser.batch_execute("SET synchronous_commit = on").await.expect("set");
    superuser.execute(sql, &[&acme, &globex]).await.expect("inserted");
    superuser.batch_execute("VACUUM ANALYZE tickets").await.expect("vacuumed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counting_reads_the_index_of_one_tenant_and_no_ticket() {
    let world = World::new().await;
    crowd(&world).await;
    let counted = world.store.count(world.acme, vec!["open".into(), "in_progress".into()], UnixMs(4_000_000_000_000)).await;
    let counted = counted.expect("answers");
    assert_eq!(counted.queues.iter().map(|(_, count)| count).sum::<u64>(), 3_333, "{:?}", counted.queues);

    let (app, driver) =
        tokio_postgres::connect(&world.db.app_url, tokio_postgres::NoTls).await.expect("the hub's role connects");
    tokio::spawn(driver);
    let statement = storage::sql::LIST_COUNT
        .replace("$1", &format!("'{}'", world.acme))
        .replace("$2", "'{open,in_progress}'")
        .replace("$3", "'2100-01-01'");
    let tenant = format!("BEGIN; SELECT set_config('app.workspace', '{}', true)", world.acme);
    app.batch_execute(&tenant).await.expect("a tenant");
    let plan = app.query(&format!("EXPLAIN {statement}"), &[]).await.expect("a plan");
    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    let scans: Vec<&str> =
        plan.iter().map(|line| line.trim()).filter(|line| line.contains(" Scan ") && line.contains("tickets")).collect();
    assert!(scans.len() == 2 && scans[0].contains("Index Only Scan using tickets_by_queue"), "{plan:#?}");
    assert!(scans[1].contains("tickets_by_change"), "{plan:#?}");
}
