//! The seeds against a real Postgres: everything verifies, and a second run changes nothing.

use std::collections::{HashMap, HashSet};

use hub_core::ports::{Accounts, AssigneeFilter, Journal, TicketLists, TicketQuery, Workspaces};
use hub_core::rules::permissions::{Role, Side};
use hub_core::time::UnixMs;
use sha2::{Digest, Sha256};
use storage::testing::TestDatabase;

use super::cast::troupes;
use super::{DEMO_TICKETS, FleetSize, demo, fleet, script};

const NOW: UnixMs = UnixMs(1_763_731_234_567);

#[test]
fn every_ticket_of_the_demo_is_a_believable_conversation() {
    for troupe in troupes().iter().filter(|troupe| !troupe.stories.is_empty()) {
        let mut statuses: HashMap<String, usize> = HashMap::new();
        let mut texts = HashSet::new();
        for at in 0..DEMO_TICKETS {
            let ticket = script::ticket(troupe, at, DEMO_TICKETS, NOW).expect("the rules allow the script");
            assert!((1..=8).contains(&ticket.events.len()), "{} events", ticket.events.len());
            let times: Vec<_> = ticket.events.iter().map(|event| event.happened.at).collect();
            assert!(times.is_sorted() && times.iter().all(|time| *time <= NOW), "{times:?}");
            let text = format!("{:?}", ticket.events.iter().map(|event| &event.happened.event).collect::<Vec<_>>());
            assert!(!text.contains('{') || !text.contains("{thing}") && !text.contains("{detail}"), "a gap was left: {text}");
            assert!(!text.contains("{me}") && !text.contains("{you}") && !text.contains("missed: Some"), "{text}");
            *statuses.entry(ticket.state.status.clone()).or_default() += 1;
            texts.insert(ticket.state.description.clone());
        }
        assert!(texts.len() > 150, "{}: only {} different openings", troupe.slug, texts.len());
        assert!(statuses.len() >= 4 && statuses.values().all(|count| *count < 140), "{statuses:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_is_made_once_and_verifies() {
    let db = TestDatabase::fresh().await;
    let first = demo(&db.owner_url).await.expect("made");
    assert_eq!((first.workspaces, first.made, first.there), (3, 2 * DEMO_TICKETS, 0));
    let second = demo(&db.owner_url).await.expect("found");
    assert_eq!((second.made, second.there), (0, 2 * DEMO_TICKETS));
    assert_eq!(second.accounts, first.accounts);

    let store = db.store().await;
    for (slug, email, role) in [
        ("acme", "owner@acme.test", Role::Owner),
        ("acme", "lead@acme.test", Role::Manager),
        ("acme", "ana@acme.test", Role::Agent),
        ("acme", "viewer@acme.test", Role::Viewer),
        ("acme", "dan@customer.test", Role::Customer),
        ("globex", "gil@globex.test", Role::Agent),
        ("globex", "eve@customer.test", Role::Customer),
        ("platform", "root@platform.test", Role::PlatformAdmin),
    ] {
        let account = store.find(slug.into(), email.into()).await.expect("answers").expect("there");
        assert!(account.password_hash.starts_with("$argon2id$"));
        let facts = store.facts(account.workspace).await.expect("answers").expect("there");
        let listed = facts.staff.iter().find(|member| member.id == account.user).map(|member| member.role);
        assert_eq!(listed, (role.side() == Side::Staff).then_some(role), "{email}");
    }
    for slug in ["acme", "globex"] {
        let report = storage::audit::verify_workspace(&db.app_url, slug).await.expect("readable").expect("there");
        assert!(report.holds() && report.tickets == DEMO_TICKETS && report.events > 3 * DEMO_TICKETS, "{report:?}");
    }
    let acme = troupes()[0].id();
    assert_eq!(store.lease_numbers(acme, 1).await.expect("a number"), DEMO_TICKETS + 1);
    let cleo = store.find("acme".into(), "cleo@customer.test".into()).await.expect("answers").expect("there").user;
    let query = TicketQuery {
        side: Side::Customer,
        user: cleo,
        status: vec![],
        assignee: AssigneeFilter::Any,
        created_from: None,
        created_until: None,
        updated_from: None,
        updated_until: None,
        cursor: None,
        limit: 100,
    };
    assert!(store.list(acme, query).await.expect("answers").tickets.len() >= 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_can_sign_in_with_its_tokens_and_grows() {
    let db = TestDatabase::fresh().await;
    let path = std::env::temp_dir().join(format!("{}.json", db.name));
    let size = FleetSize { agents: 3, customers: 4, tickets: 10 };
    let report = fleet(&db.owner_url, size, &path).await.expect("made");
    assert_eq!((report.users, report.made, report.there), (7, 10, 0));
    let bigger = FleetSize { tickets: 25, ..size };
    let report = fleet(&db.owner_url, bigger, &path).await.expect("grown");
    assert_eq!((report.made, report.there), (15, 10));

    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).expect("written")).expect("JSON");
    std::fs::remove_file(&path).expect("removed");
    let store = db.store().await;
    let workspace = store.find("fleet".into(), "agent1@fleet.test".into()).await.expect("answers").expect("there").workspace;
    assert_eq!(file["workspace"], "fleet");
    for (list, role, count) in [("agents", Role::Agent, 3), ("customers", Role::Customer, 4)] {
        let members = file[list].as_array().expect("a list");
        assert_eq!(members.len(), count);
        for member in members {
            let token = member["token"].as_str().expect("a token");
            assert!(
                token.starts_with(&format!("tdm_{}_", workspace.uuid().simple())) && token.len() == 4 + 32 + 1 + 43,
                "{token}"
            );
            let sign_in = store.session(workspace, Sha256::digest(token).into()).await.expect("answers").expect("valid");
            assert_eq!((sign_in.role, sign_in.email.as_str()), (role, member["email"].as_str().expect("an address")));
            assert_eq!(member["user_id"], sign_in.user.to_string());
        }
    }
    let tickets = file["tickets"].as_array().expect("a list");
    assert_eq!(tickets.len(), 25);
    for ticket in tickets {
        let id = ticket["id"].as_str().expect("an id").parse().expect("a UUID");
        let state = store.load(hub_core::ids::TicketKey { workspace, ticket: id }).await.expect("answers").expect("there");
        assert_eq!(ticket["requester_id"], state.requester.id.to_string());
    }
}
