//! Chains are followed from the first event to the head, and whatever was tampered with is named.

use hub_core::ids::TeamId;
use hub_core::ports::Appended;
use hub_core::rules::audit::Broken;
use hub_core::rules::intent::{Intent, Step};
use hub_core::rules::permissions::Role;
use hub_core::testing::{Sample, asker, workspace_facts};
use hub_core::wire::{Audience, FieldPatches, Patch, Priority};
use serde_json::json;
use storage::audit::{Fault, Report, verify_workspace};

use crate::world::World;

async fn filled(world: &World, tickets: usize) -> Vec<Sample> {
    let mut samples = Vec::new();
    for _ in 0..tickets {
        let mut sample = Sample::of(world.fresh());
        let creation = sample.creation();
        assert!(matches!(sample.write(&world.store, creation).await, Ok(Appended::Committed { .. })));
        for body in ["one", "two", "three"] {
            let reply = sample.reply(body);
            assert!(matches!(sample.write(&world.store, reply).await, Ok(Appended::Committed { .. })));
        }
        samples.push(sample);
    }
    samples
}

async fn report(world: &World) -> Report {
    verify_workspace(&world.db.app_url, "acme").await.expect("readable").expect("there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_journal_wrote_verifies_also_after_an_erasure() {
    let world = World::new().await;
    filled(&world, 5).await;
    let found = report(&world).await;
    assert_eq!((found.tickets, found.events, found.erased, found.holds()), (5, 20, 0, true));
    world
        .db
        .superuser()
        .await
        .batch_execute("UPDATE events SET private = NULL, salt = NULL WHERE seq = 2")
        .await
        .expect("erased");
    let found = report(&world).await;
    assert_eq!((found.events, found.erased, found.partly_compared, found.holds()), (20, 5, 5, true));
    assert_eq!(verify_workspace(&world.db.owner_url, "acme").await.expect("readable"), Some(found));
    assert_eq!(verify_workspace(&world.db.app_url, "nowhere").await.expect("readable"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_tampered_with_is_named() {
    let world = World::new().await;
    let tickets: Vec<_> = filled(&world, 6).await.iter().map(|sample| sample.ticket.ticket).collect();
    let superuser = world.db.superuser().await;
    let changes = [
        "UPDATE events SET data = replace(convert_from(data, 'UTF8'), 'agent', 'Agent')::bytea WHERE ticket_id = $1 AND seq = 3",
        "UPDATE events SET private = private || 'x'::bytea WHERE ticket_id = $1 AND seq = 2",
        "DELETE FROM events WHERE ticket_id = $1 AND seq = 2",
        "DELETE FROM events WHERE ticket_id = $1 AND seq = 4",
        "DELETE FROM tickets WHERE id = $1",
    ];
    for (change, ticket) in changes.iter().zip(&tickets) {
        assert_eq!(superuser.execute(*change, &[&ticket.uuid()]).await.expect("a change"), 1);
    }
    let mut expected = vec![
        (tickets[0], Fault::Chain(Broken::Hash { seq: 3 })),
        (tickets[1], Fault::Chain(Broken::Private { seq: 2 })),
        (tickets[2], Fault::Chain(Broken::Gap { expected: 2, found: 3 })),
        (tickets[3], Fault::Chain(Broken::Head { head: 4, found: 3 })),
        (tickets[4], Fault::Orphan),
    ];
    let mut broken = report(&world).await.broken;
    broken.sort_by_key(|(ticket, _)| *ticket);
    expected.sort_by_key(|(ticket, _)| *ticket);
    assert_eq!(broken, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_people_do_together_verifies() {
    let world = World::new().await;
    let mut sample = filled(&world, 1).await.pop().expect("one");
    let other = asker(Role::Agent, 9);
    sample.facts = workspace_facts(sample.ticket.workspace, &[sample.agent.clone(), other.clone()]);
    let (agent, hold) = (sample.agent.clone(), |based_on| Step::HoldReply {
        body: "In a moment.".into(),
        audience: Audience::Public,
        based_on: Some(based_on),
        force: false,
        mentions: vec![],
        then_status: None,
        hold_ms: 1,
    });
    let wants = async |sample: &mut Sample, step: Step| {
        let intent = Intent { key: sample.fresh_key(), by: agent.clone(), steps: vec![step] };
        let append = sample.append_of(&intent);
        assert!(matches!(sample.write(&world.store, append).await, Ok(Appended::Committed { .. })), "{:?}", intent.steps);
        sample.state.clone().expect("made")
    };
    let claimed = wants(&mut sample, Step::TakeClaim { force: false }).await;
    wants(&mut sample, Step::ExpireClaim { since: claimed.claim.expect("taken").since }).await;
    let held = wants(&mut sample, hold(6)).await;
    wants(&mut sample, Step::ReleaseHeld { held_key: held.held[0].key }).await;
    let seq = sample.state.as_ref().map_or(0, |state| state.seq);
    let held = wants(&mut sample, hold(seq)).await;
    wants(&mut sample, Step::CancelHeld { held_key: held.held[0].key }).await;
    wants(&mut sample, Step::TakeClaim { force: false }).await;
    wants(&mut sample, Step::ChangeTags { add: vec!["vip".into()], remove: vec![] }).await;
    wants(&mut sample, Step::Watch { on: true }).await;
    let note = "She has called twice.".to_owned();
    wants(&mut sample, Step::HandOver { to_id: Some(other.user), to_team_id: None, note, with_draft: false }).await;
    let found = report(&world).await;
    assert_eq!((found.broken.as_slice(), found.holds()), (&[][..], true));
    // Nothing that anybody wrote, and nobody's name, is in the part that stays; without the other part the chain still holds.
    let superuser = world.db.superuser().await;
    let personal = "SELECT count(*) FROM events WHERE convert_from(data, 'UTF8') ~ 'moment|vip|twice|agent 7|agent 9'";
    assert_eq!(superuser.query_one(personal, &[]).await.expect("answers").get::<_, i64>(0), 0);
    superuser.batch_execute("UPDATE events SET private = NULL, salt = NULL").await.expect("erased");
    let left = report(&world).await;
    assert_eq!((left.erased, left.broken.as_slice(), left.holds()), (found.events, &[][..], true));
}

/// A change of everything that a ticket's row repeats.
async fn change_everything(world: &World, sample: &mut Sample) {
    let custom = json!({"floor": 3, "share": 0.1, "much": 1e300, "deep": [{"little": -1.5e-7}]});
    let patches = FieldPatches {
        title: Patch::Set("Another door".into()),
        priority: Patch::Set(Priority::P1),
        custom: Patch::Set(custom.as_object().expect("a map").clone()),
        ..FieldPatches::default()
    };
    let team = TeamId::new(uuid::Uuid::from_u128(1));
    let steps = vec![
        Step::Assign { assignee_id: Patch::Set(sample.agent.user), team_id: Patch::Set(team) },
        Step::UpdateFields { based_on: 4, patches },
        Step::ChangeStatus { status: "in_progress".into(), based_on: Some(4), note: None, force: false },
    ];
    let intent = Intent { key: sample.fresh_key(), by: sample.agent.clone(), steps };
    let append = sample.append_of(&intent);
    assert!(matches!(sample.write(&world.store, append).await, Ok(Appended::Committed { .. })));
}

const fn beside(seq: u64, column: &'static str) -> Fault {
    Fault::Event { seq, column }
}

const fn in_row(column: &'static str) -> Fault {
    Fault::Row { seq: 9, column }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_that_say_something_else_than_the_events_are_named() {
    let changes = [
        ("events SET at = at + interval '1 microsecond' WHERE ticket_id = $1 AND seq = 2", beside(2, "at")),
        ("events SET at = 'infinity' WHERE ticket_id = $1 AND seq = 2", beside(2, "at")),
        ("events SET thread_seq = NULL WHERE ticket_id = $1 AND seq = 4", beside(4, "thread_seq")),
        ("events SET thread_seq = 6 WHERE ticket_id = $1 AND seq = 6", beside(6, "thread_seq")),
        ("events SET key = gen_random_uuid() WHERE ticket_id = $1 AND seq = 3", beside(3, "key")),
        ("events SET key_by = gen_random_uuid() WHERE ticket_id = $1 AND seq = 1", beside(1, "key_by")),
        (
            "events SET (key, key_by, key_digest, key_missed) = ROW (NULL, NULL, NULL, NULL) WHERE ticket_id = $1 AND seq = 5",
            beside(5, "key"),
        ),
        ("tickets SET number = number + 1 WHERE id = $1", in_row("number")),
        ("tickets SET title = 'x' WHERE id = $1", in_row("title")),
        ("tickets SET status = 'closed' WHERE id = $1", in_row("status")),
        ("tickets SET priority = 'p4' WHERE id = $1", in_row("priority")),
        ("tickets SET category_id = gen_random_uuid() WHERE id = $1", in_row("category_id")),
        ("tickets SET assignee_id = NULL WHERE id = $1", in_row("assignee_id")),
        ("tickets SET team_id = gen_random_uuid() WHERE id = $1", in_row("team_id")),
        ("tickets SET requester_id = gen_random_uuid() WHERE id = $1", in_row("requester_id")),
        ("tickets SET created_at = now() WHERE id = $1", in_row("created_at")),
        ("tickets SET updated_at = now() WHERE id = $1", in_row("updated_at")),
        ("tickets SET thread_updated_at = now() WHERE id = $1", in_row("thread_updated_at")),
        ("tickets SET last_thread_seq = 1 WHERE id = $1", in_row("last_thread_seq")),
        ("tickets SET state = jsonb_set(state, '{title}', '\"x\"') WHERE id = $1", in_row("state")),
        ("tickets SET state = jsonb_set(state, '{custom,share}', '0.2') WHERE id = $1", in_row("state")),
        ("tickets SET state = '{}' WHERE id = $1", in_row("state")),
        ("tickets SET state_version = 9 WHERE id = $1", in_row("state")),
        ("tickets SET last_seq = 10 WHERE id = $1", Fault::Chain(Broken::Head { head: 10, found: 9 })),
    ];
    let world = World::new().await;
    let mut samples = filled(&world, changes.len()).await;
    for sample in &mut samples {
        change_everything(&world, sample).await;
    }
    assert_eq!(report(&world).await.broken, []);
    let superuser = world.db.superuser().await;
    let mut expected = Vec::new();
    for ((change, fault), sample) in changes.iter().zip(&samples) {
        let (statement, ticket) = (format!("UPDATE {change}"), sample.ticket.ticket);
        assert_eq!(superuser.execute(&statement, &[&ticket.uuid()]).await.expect("a change"), 1, "{change}");
        expected.push((ticket, *fault));
        if *fault == beside(5, "key") {
            expected.push((ticket, beside(5, "key_by")));
        }
    }
    let found = report(&world).await;
    assert_eq!(found.broken_tickets(), changes.len());
    // stable: the faults of one ticket stay in their order
    expected.sort_by_key(|(ticket, _)| *ticket);
    assert_eq!(found.broken, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_moved_whole_to_another_ticket_or_tenant_is_named() {
    let world = World::new().await;
    let samples = filled(&world, 2).await;
    let (superuser, other) = (world.db.superuser().await, world.fresh().ticket);
    let [renamed, given] = [samples[0].ticket.ticket.uuid(), samples[1].ticket.ticket.uuid()];
    for (change, ticket, to) in [
        ("UPDATE tickets SET id = $2 WHERE id = $1", renamed, other.uuid()),
        ("UPDATE events SET ticket_id = $2 WHERE ticket_id = $1", renamed, other.uuid()),
        ("UPDATE tickets SET workspace_id = $2 WHERE id = $1", given, world.globex.uuid()),
        ("UPDATE events SET workspace_id = $2 WHERE ticket_id = $1", given, world.globex.uuid()),
    ] {
        superuser.execute(change, &[&ticket, &to]).await.expect("a change");
    }
    let named = |ticket, column| (1..=4).map(|seq| (ticket, beside(seq, column))).collect::<Vec<_>>();
    assert_eq!(report(&world).await.broken, named(other, "ticket_id"));
    let globex = verify_workspace(&world.db.app_url, "globex").await.expect("readable").expect("there");
    assert_eq!(globex.broken, named(samples[1].ticket.ticket, "workspace_id"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_erasure_what_is_not_personal_is_compared_all_the_same() {
    let world = World::new().await;
    let mut samples = filled(&world, 1).await;
    change_everything(&world, &mut samples[0]).await;
    let superuser = world.db.superuser().await;
    superuser.batch_execute("UPDATE events SET private = NULL, salt = NULL").await.expect("erased");
    superuser.batch_execute("UPDATE tickets SET title = '(erased)', priority = 'p3', state = '{}'").await.expect("erased");
    let found = report(&world).await;
    assert_eq!((found.broken, found.partly_compared), (vec![], 1));
    superuser.batch_execute("UPDATE tickets SET status = 'closed', assignee_id = NULL").await.expect("a change");
    let ticket = samples[0].ticket.ticket;
    assert_eq!(report(&world).await.broken, [(ticket, in_row("status")), (ticket, in_row("assignee_id"))]);
}
