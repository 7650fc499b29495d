//! Workspaces over Postgres.

use std::collections::HashSet;

use hub_core::ids::{CategoryId, TeamId, UserId, WorkspaceId};
use hub_core::ports::{StoreError, Workspaces};
use hub_core::rules::permissions::Role;
use hub_core::rules::workflow::Workflow;
use uuid::Uuid;

use crate::world::{World, user};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_facts_tell_staff_teams_and_categories_of_one_workspace() {
    let world = World::new().await;
    let people =
        [user(1, "z@acme.test", Role::Owner), user(2, "A@acme.test", Role::Viewer), user(3, "c@customer.test", Role::Customer)];
    world.owner.users(world.acme, &people).await.expect("people");
    world.owner.users(world.globex, &[user(4, "g@globex.test", Role::Agent)]).await.expect("people");
    let team = TeamId::new(Uuid::from_u128(10));
    let owner = UserId::new(Uuid::from_u128(1));
    world.owner.team(world.acme, team, "First line", &[owner]).await.expect("a team");
    world.owner.team(world.acme, team, "First line", &[owner]).await.expect("made once only");
    world.owner.category(world.acme, CategoryId::new(Uuid::from_u128(11)), "Billing").await.expect("a category");

    let facts = world.store.facts(world.acme).await.expect("answers").expect("there");
    assert_eq!((facts.id, facts.slug.as_str(), facts.number_prefix.as_str()), (world.acme, "acme", "TKT"));
    assert_eq!(facts.workflow, Workflow::simple());
    let staff: Vec<_> = facts.staff.iter().map(|member| (member.name.as_str(), member.role)).collect();
    assert_eq!(staff, [("Person 1", Role::Owner), ("Person 2", Role::Viewer)]);
    assert_eq!((facts.teams.clone(), facts.categories.len()), (vec![(team, "First line".to_owned())], 1));
    let others = world.store.facts(world.globex).await.expect("answers").expect("there");
    assert_eq!((others.staff.len(), others.teams.len(), others.categories.len()), (1, 0, 0));
    assert!(world.store.facts(WorkspaceId::new(Uuid::from_u128(99))).await.expect("answers").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leased_numbers_are_never_given_twice() {
    let world = World::new().await;
    let leases: Vec<_> = (0..40).map(|at| world.store.lease_numbers(world.acme, 1 + at % 7)).collect();
    let mut seen = HashSet::new();
    for (at, lease) in leases.into_iter().enumerate() {
        let first = lease.await.expect("numbers");
        let count = 1 + at as u64 % 7;
        assert!((first..first + count).all(|number| seen.insert(number)), "given twice");
    }
    assert_eq!(world.store.lease_numbers(world.globex, 1).await.expect("its own numbers"), 1);
    let nowhere = world.store.lease_numbers(WorkspaceId::new(Uuid::from_u128(99)), 1).await;
    assert!(matches!(nowhere, Err(StoreError::Unreadable(_))), "{nowhere:?}");
}
