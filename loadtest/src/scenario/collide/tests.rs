//! The whole scenario on real sockets, against a stand-in of the hub: it gets through, and the oracle finds what a hub that breaks
//! its promises does.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use hub_core::wire::Codec;

use super::{Collide, Manner, run};
use crate::client::life::Backoff;
use crate::client::route::{Codecs, Endpoint, Routes, Sources};
use crate::fake_desk::{FakeDesk, Fault};
use crate::fake_hub::fleet;
use crate::oracle::Fault as Found;
use crate::oracle::together::Fault as Wrong;
use crate::plan::Shares;
use crate::report::Report;
use crate::report::own::Own;
use crate::scenario::{Outcome, Setup};

fn setup(desk: &FakeDesk, agents: usize, tickets: u128, duration: Duration, codecs: Codecs) -> Setup {
    let endpoints = vec![Endpoint::parse(&desk.url()).expect("its own URL")];
    let sizes = crate::fleet::shared_out(agents, usize::try_from(tickets).expect("few"));
    Setup {
        routes: Arc::new(Routes { endpoints, codecs, sources: Sources::default() }),
        tickets: fleet(40, 2, tickets).teams(&sizes, 2, 2).expect("large enough"),
        rate: 0.0,
        ramp: Duration::ZERO,
        duration,
        seed: 7,
        shares: Shares { customer: 0.0, note: 0.0, force: 0.0 },
        body_bytes: 0,
        backoff: Backoff::QUICK,
        grace: Duration::from_secs(5),
        writers: usize::MAX,
        patience: None,
        clients_beside: 0,
        shows_progress: false,
    }
}

const WALK: Collide =
    Collide { manner: Manner::Walk, every: Duration::from_millis(40), cut_every: Duration::from_millis(1_500) };

/// Away for long enough to be missed.
const CROWD: Collide = Collide { manner: Manner::Crowd, every: Duration::from_secs(1), cut_every: Duration::MAX };

async fn play(fault: Fault, seed: u64) -> Outcome {
    let desk = FakeDesk::start(&fleet(40, 2, 3), fault).await;
    if fault == Fault::ForgetsLeaving {
        return run(&setup(&desk, 60, 3, Duration::from_secs(6), Codecs::Mixed), &CROWD).await.expect("runs");
    }
    let setup = Setup { seed, ..setup(&desk, 9, 3, Duration::from_secs(4), Codecs::Mixed) };
    run(&setup, &WALK).await.expect("runs")
}

fn wrong(outcome: &Outcome) -> Vec<Wrong> {
    outcome
        .breaches
        .iter()
        .filter_map(|breach| match &breach.fault {
            Found::Together(wrong) => Some(wrong.clone()),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_walk_does_everything_and_a_desk_that_keeps_its_promises_is_found_clean() {
    let desk = FakeDesk::start(&fleet(40, 2, 3), Fault::None).await;
    let setup = setup(&desk, 9, 3, Duration::from_secs(6), Codecs::Mixed);
    let outcome = run(&setup, &WALK).await.expect("runs");
    let words: Vec<String> = outcome.breaches.iter().map(ToString::to_string).collect();
    assert_eq!(words, [""; 0]);
    let report = Report::new("collide", &setup, &[desk.url()], &outcome);
    let Some(Own::Collide(figures)) = &report.own else { panic!("its own figures") };
    for action in [
        "reply",
        "reply_forced",
        "note",
        "hold",
        "cancel_held",
        "compose",
        "save_draft",
        "discard_draft",
        "take_claim",
        "take_over_claim",
        "release_claim",
        "hand_over",
        "hand_over_with_draft",
        "acknowledge_handoff",
        "change_tags",
        "update_ticket",
        "watch",
        "change_status",
        "leave",
    ] {
        assert!(figures.actions.contains_key(action), "{action}: {:?}", figures.actions);
    }
    for event in ["claim_taken", "claim_taken_over", "claim_released", "held reply posted", "held_cancelled", "handed_over"] {
        assert!(figures.events.contains_key(event), "{event}: {:?}", figures.events);
    }
    assert!(["stale", "claimed", "busy"].iter().all(|code| figures.refused.contains_key(*code)), "{:?}", figures.refused);
    assert!(figures.claim_ms.count > 0 && figures.signals > 0 && figures.presence_frames_per_s_max > 0, "{figures:?}");
    assert!(report.connections.cut_by_driver > 3 && report.connections.resumed_with_tail > 0, "{:?}", report.connections);
    let table = report.table();
    assert!(table.contains("collide (walk): 9 agents, 14 devices") && table.contains("presence shown"), "{table}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_comes_and_goes_is_shown() {
    let desk = FakeDesk::start(&fleet(40, 2, 1), Fault::None).await;
    let setup = setup(&desk, 30, 1, Duration::from_secs(3), Codecs::All(Codec::MsgPack));
    let crowd = Collide { manner: Manner::Crowd, every: Duration::from_millis(400), cut_every: Duration::MAX };
    let outcome = run(&setup, &crowd).await.expect("runs");
    let words: Vec<String> = outcome.breaches.iter().map(ToString::to_string).collect();
    assert_eq!(words, [""; 0]);
    let Some(Own::Collide(figures)) = &outcome.own else { panic!("its own figures") };
    assert!(figures.actions["leave"] > 50 && figures.presence_frames_per_s_max >= 5, "{figures:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blind_replies_are_all_refused_and_that_is_demanded() {
    let desk = FakeDesk::start(&fleet(40, 2, 1), Fault::None).await;
    let setup = setup(&desk, 4, 1, Duration::from_secs(20), Codecs::Mixed);
    let blind =
        |refusals| Collide { manner: Manner::Blind { refusals }, every: Duration::from_millis(5), cut_every: Duration::MAX };
    let outcome = run(&setup, &blind(300)).await.expect("runs");
    assert!(outcome.breaches.is_empty() && outcome.unmet.is_empty(), "{:?} {:?}", outcome.breaches, outcome.unmet);
    let short = Setup { duration: Duration::from_millis(300), ..setup };
    let outcome = run(&short, &blind(1_000_000)).await.expect("runs");
    assert!(outcome.unmet[0].contains("of 1000000 stale replies"), "{:?}", outcome.unmet);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn desks_that_break_a_promise_are_found_out() {
    type IsFound = fn(&Wrong) -> bool;
    let cases: [(Fault, IsFound); 18] = [
        (Fault::NeverStale, |found| matches!(found, Wrong::Blind { .. })),
        (Fault::MissesOne, |found| matches!(found, Wrong::MissedEventsWrong)),
        (Fault::ClaimsForNothing, |found| matches!(found, Wrong::PassedAClaim { .. })),
        (Fault::ClaimedFirst, |found| matches!(found, Wrong::ClaimedBeforeStale)),
        (Fault::TwoHolders, |found| matches!(found, Wrong::ClaimMalformed)),
        (Fault::KeepsClaims, |found| matches!(found, Wrong::NotReleasedByReply)),
        (Fault::ForgetsForce, |found| matches!(found, Wrong::ForcedWrong)),
        (Fault::ForgetsLeaving, |found| matches!(found, Wrong::StillShown(_))),
        (Fault::Floods, |found| matches!(found, Wrong::TooManyFrames(_))),
        (Fault::TellsCustomers, |found| matches!(found, Wrong::Secret(_))),
        (Fault::ForgetsSaves, |found| matches!(found, Wrong::TextLost(_) | Wrong::DraftVanished)),
        (Fault::RefusalSpendsDraft, |found| matches!(found, Wrong::DraftVanished | Wrong::TextLost(_))),
        (Fault::KeepsDrafts, |found| matches!(found, Wrong::DraftSurvived)),
        (Fault::SendsTwice, |found| matches!(found, Wrong::HeldTwice)),
        (Fault::SendsEarly, |found| matches!(found, Wrong::ReleasedEarly)),
        (Fault::ShrinksLeases, |found| matches!(found, Wrong::SignalOlder("claim"))),
        (Fault::Silent, |found| matches!(found, Wrong::NoAnswer)),
        (Fault::BusyForNow, |found| matches!(found, Wrong::NoTimeToRetry(_))),
    ];
    // A walk is random, and the machine may have other things to do: what one does not come across, the next one does.
    let runs = cases.map(|(fault, is_found)| async move {
        let mut all = Vec::new();
        for seed in 0..4 {
            let wrong = wrong(&play(fault, seed).await);
            if wrong.iter().any(is_found) {
                return;
            }
            all.extend(wrong);
        }
        panic!("{fault:?}: {all:?}");
    });
    stream::iter(runs).buffer_unordered(6).collect::<()>().await;
}
