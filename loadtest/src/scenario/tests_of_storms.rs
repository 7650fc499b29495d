//! The drivers for many sockets, against a stand-in of the hub: what they count is what happened.

use std::time::Duration;

use hub_core::wire::Codec;

use super::connect::{self, Connect};
use super::overload::{self, Overload};
use super::resident::{self, Resident};
use super::stall::{self, Stall};
use super::storm::{self, Cut, Storm};
use super::tests::{found, hub, setup};
use super::{Outcome, Setup};
use crate::client::life::Backoff;
use crate::client::route::Codecs;
use crate::fake_hub::{FakeHub, Fault, fleet};
use crate::fleet::Topics;
use crate::report::Report;
use crate::report::own::{self, Own};

fn idle(hub: &FakeHub, topics: Topics, sockets: usize, held_ms: u64) -> (Setup, Connect) {
    let people = fleet(4, 2, 3).people(sockets, topics).expect("large enough");
    let setup = Setup { tickets: vec![], clients_beside: sockets, ..setup(hub, Codec::Json, 500.0, held_ms) };
    (setup, Connect { people, topics })
}

fn connected(outcome: &Outcome) -> &own::Connect {
    match &outcome.own {
        Some(Own::Connect(figures)) => figures,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn idle_sockets_are_opened_welcomed_held_and_counted() {
    let hub = hub(Fault::None).await;
    for topics in [Topics::None, Topics::Workspace, Topics::Thread] {
        let (setup, connect) = idle(&hub, topics, 40, 100);
        let outcome = connect::run(&setup, &connect).await.expect("runs");
        let figures = connected(&outcome);
        assert_eq!((figures.alive_at_end, figures.handshake_ms.count, figures.welcome_ms.count), (40, 40, 40));
        assert_eq!(figures.subscribe_ms.count, if topics == Topics::None { 0 } else { 40 });
        assert!(figures.failed.is_empty() && figures.lost.is_empty() && outcome.unmet.is_empty(), "{figures:?}");
        let report = Report::new("connect", &setup, &[hub.url()], &outcome);
        assert!(report.is_clean() && report.load.clients == 40);
        assert!(
            report.table().contains("alive at the end 40") && !report.table().contains("acked within"),
            "{}",
            report.table()
        );
    }
}

#[tokio::test]
async fn sockets_that_fail_or_are_lost_are_told_by_kind() {
    let mut hub = hub(Fault::None).await;
    let (setup, mut connect) = idle(&hub, Topics::None, 30, 400);
    connect.people[7].0.token = "wrong".into();
    let run = tokio::spawn(async move { connect::run(&setup, &connect).await });
    hub.has_greeted(29).await;
    hub.kill_and_restart().await;
    let outcome = run.await.expect("no panic").expect("runs");
    let figures = connected(&outcome);
    assert_eq!((figures.alive_at_end, figures.failed["refused unauthenticated"]), (0, 1));
    assert_eq!(figures.lost.values().sum::<u64>(), 29, "{:?}", figures.lost);
    assert!(outcome.unmet[0].contains("0 of 30 sockets"), "{:?}", outcome.unmet);
}

fn stormy(hub: &FakeHub) -> Setup {
    let mut setup = setup(hub, Codec::Json, 80.0, 0);
    let mut routes = (*setup.routes).clone();
    routes.codecs = Codecs::Mixed;
    routes.sources = "127.0.0.2-127.0.0.5".parse().expect("a range");
    setup.routes = routes.into();
    setup.tickets = fleet(4, 2, 3).crowd(&[14, 13, 13]).expect("large enough");
    setup.backoff = Backoff { first: Duration::from_millis(20), longest: Duration::from_millis(200) };
    setup
}

fn storms(outcome: &Outcome) -> &[own::Round] {
    match &outcome.own {
        Some(Own::Storm(figures)) => &figures.rounds,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_storm_everybody_is_back_and_nothing_is_lost() {
    for cut in [Cut::Rst, Cut::Close] {
        let hub = hub(Fault::None).await;
        let setup = stormy(&hub);
        let storm = Storm { cut, repeat: 2, calm: Duration::from_millis(200), within: Duration::from_secs(20) };
        let outcome = storm::run(&setup, storm).await.expect("runs");
        assert_eq!(found(&outcome), []);
        let rounds = storms(&outcome);
        assert_eq!(rounds.len(), 2);
        for round in rounds {
            assert_eq!((round.lost, round.not_back, round.resume_ms.count), (40, 0, 40));
            assert!(round.attempts >= 40 && round.all_back_ms >= round.resume_ms.p50, "{round:?}");
        }
        assert!(outcome.unmet.is_empty(), "{:?}", outcome.unmet);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_storm_refused_upgrades_are_counted_and_tried_again_when_the_hub_said() {
    let mut hub = hub(Fault::None).await;
    let setup = stormy(&hub);
    let storm = Storm { cut: Cut::Kill, repeat: 1, calm: Duration::from_millis(100), within: Duration::from_secs(30) };
    let run = tokio::spawn(async move { storm::run(&setup, storm).await });
    hub.has_taken(20).await;
    hub.turn_away(10);
    hub.kill_and_restart().await;
    let outcome = run.await.expect("no panic").expect("runs");
    assert_eq!(found(&outcome), []);
    assert_eq!(outcome.tally.failures()["http 503"], 10);
    let [round] = storms(&outcome) else { panic!("one storm") };
    assert_eq!((round.lost, round.not_back), (40, 0));
    assert!(round.resume_ms.max >= 1_000.0, "whoever was told to stay away for a second did: {round:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_do_not_read_are_cut_off_and_the_others_notice_nothing() {
    let hub = hub(Fault::None).await;
    let crowd = fleet(4, 2, 3).crowd(&[8]).expect("large enough");
    let asleep = crowd[0][1..4].to_vec();
    let stall = Stall { stalled: asleep, watching: 9, receive_buffer: 4_096, cut_within: Some(Duration::from_millis(2_600)) };
    let mut setup = setup(&hub, Codec::MsgPack, 60.0, 2_500);
    (setup.tickets, setup.writers, setup.clients_beside, setup.body_bytes) = (crowd, 2, 3, 10_000);
    setup.shares.note = 1.0;
    let outcome = stall::run(&setup, &stall).await.expect("runs");
    assert_eq!(found(&outcome), []);
    let Some(Own::Stall(figures)) = &outcome.own else { panic!("{:?}", outcome.own) };
    assert_eq!((figures.sockets, figures.stalled, figures.not_cut), (9, 3, 0), "{figures:?}");
    assert_eq!((figures.cut_after_stop_ms.count, figures.cut_after_full_ms.count), (3, 3));
    assert!(figures.cut_after_full_ms.p50 <= figures.cut_after_stop_ms.p50, "{figures:?}");
    assert!(figures.kernel_bytes_max > 30_000, "{figures:?}");
    assert_eq!(figures.found_at_end.values().sum::<u64>(), 3);
    assert!(!figures.found_at_end.contains_key("still open"), "{figures:?}");
    let report = Report::new("stall", &setup, &[hub.url()], &outcome);
    assert!(report.delivery_ms.count > 500 && report.table().contains("3 of 9 watching"), "{}", report.table());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_nobody_cuts_off_is_found_open_at_the_end() {
    let hub = hub(Fault::None).await;
    let mut setup = setup(&hub, Codec::Json, 20.0, 300);
    setup.clients_beside = 2;
    let stall = Stall {
        stalled: setup.tickets[0][1..3].to_vec(),
        watching: 5,
        receive_buffer: 65_536,
        cut_within: Some(Duration::from_millis(300)),
    };
    let outcome = stall::run(&setup, &stall).await.expect("runs");
    let Some(Own::Stall(figures)) = &outcome.own else { panic!("{:?}", outcome.own) };
    assert_eq!((figures.not_cut, figures.found_at_end["still open"]), (2, 2));
    assert_eq!(outcome.unmet, ["2 of 2 sockets that stopped reading were not cut off within 300ms"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overload_tells_what_was_taken_in_time_and_when_it_was_over() {
    let hub = hub(Fault::None).await;
    let mut setup = setup(&hub, Codec::MsgPack, 60.0, 1_500);
    (setup.patience, setup.shares.note) = (Some(Duration::from_millis(400)), 1.0);
    hub.limit_to(120.0);
    let overload = Overload { factor: 5.0, baseline: Duration::from_millis(1_500), recovery: Duration::from_millis(4_000) };
    let outcome = overload::run(&setup, overload).await.expect("runs");
    assert_eq!(found(&outcome), []);
    let Some(Own::Overload(figures)) = &outcome.own else { panic!("{:?}", outcome.own) };
    let [before, during, after] = &figures.phases[..] else { panic!("{figures:?}") };
    assert_eq!((before.offered, during.offered, after.offered), (90, 450, 240));
    assert!(during.given_up > before.given_up && during.refused["busy"] > 0, "{during:?}");
    for phase in [before, during, after] {
        assert_eq!(phase.unanswered, 0);
        assert_eq!(phase.offered, phase.accepted + phase.accepted_late + phase.given_up + phase.not_sent, "{phase:?}");
    }
    // How soon that is, a busy machine may decide; whether it was is told.
    assert_eq!(figures.recovered_after_ms.is_none(), !outcome.unmet.is_empty(), "{:?}", outcome.unmet);
    let table = Report::new("overload", &setup, &[hub.url()], &outcome).table();
    assert!(table.contains("overload      300/s") && table.contains("as prompt as before"), "{table}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_are_woken_and_left_also_when_the_hub_dies_meanwhile() {
    let mut hub = FakeHub::start(&fleet(4, 2, 3_000), Fault::None).await;
    let fleet = fleet(4, 2, 3_000);
    let setup = Setup { tickets: vec![], clients_beside: 8, ..setup(&hub, Codec::Json, 1.0, 0) };
    let people = fleet.people(8, Topics::Workspace).expect("large enough");
    let resident = Resident {
        agents: people.into_iter().map(|(agent, _)| agent).collect(),
        tickets: fleet.tickets.iter().map(|ticket| ticket.id).collect(),
        in_flight: 4,
    };
    let run = tokio::spawn(async move { resident::run(&setup, &resident).await });
    hub.has_greeted(8).await;
    hub.kill_and_restart().await;
    let outcome = run.await.expect("no panic").expect("runs");
    let Some(Own::Resident(figures)) = &outcome.own else { panic!("{:?}", outcome.own) };
    assert_eq!((figures.tickets, figures.woken, figures.sockets), (3_000, 3_000, 8), "{figures:?}");
    assert!(figures.wake_ms.count >= 3_000 && figures.failed.is_empty() && outcome.unmet.is_empty(), "{figures:?}");
}

#[tokio::test]
async fn a_ticket_that_cannot_be_woken_is_told_by_kind() {
    let hub = hub(Fault::None).await;
    let setup = Setup { tickets: vec![], clients_beside: 1, ..setup(&hub, Codec::Json, 1.0, 0) };
    let fleet = fleet(4, 2, 3);
    let mut tickets: Vec<_> = fleet.tickets.iter().map(|ticket| ticket.id).collect();
    tickets.push(hub_core::ids::TicketId::new(uuid::Uuid::from_u128(1)));
    let resident = Resident { agents: vec![fleet.agents[0].clone()], tickets, in_flight: 2 };
    let outcome = resident::run(&setup, &resident).await.expect("runs");
    let Some(Own::Resident(figures)) = &outcome.own else { panic!("{:?}", outcome.own) };
    assert_eq!((figures.woken, figures.failed["refused not_found"]), (3, 1));
    assert!(outcome.unmet[0].contains("3 of 4 tickets"), "{:?}", outcome.unmet);
}
