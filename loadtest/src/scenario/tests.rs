//! The drivers on real sockets, against a stand-in of the hub: they get through, they resume, and the oracle sees what a hub
//! that breaks its promises does.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hub_core::wire::Codec;

use super::crew::Crew;
use super::resume::{self, Until};
use super::verdict::{self, Figures};
use super::{Outcome, Setup, thread};
use crate::client::life::Backoff;
use crate::client::route::{Codecs, Endpoint, Routes, Sources};
use crate::fake_hub::{FakeHub, Fault, fleet};
use crate::lag::LagMeter;
use crate::oracle::Fault as Found;
use crate::plan::Shares;
use crate::report::Report;

pub(super) fn setup(hub: &FakeHub, codec: Codec, rate: f64, duration_ms: u64) -> Setup {
    let routes = Routes {
        endpoints: vec![Endpoint::parse(&hub.url()).expect("its own URL")],
        codecs: Codecs::All(codec),
        sources: Sources::default(),
    };
    Setup {
        routes: Arc::new(routes),
        tickets: fleet(4, 2, 3).seats(3, 4).expect("large enough"),
        rate,
        ramp: Duration::from_millis(100),
        duration: Duration::from_millis(duration_ms),
        seed: 7,
        shares: Shares { customer: 0.2, note: 0.2, force: 0.3 },
        body_bytes: 120,
        backoff: Backoff::QUICK,
        grace: Duration::from_secs(20),
        writers: usize::MAX,
        patience: None,
        clients_beside: 0,
        shows_progress: false,
    }
}

pub(super) async fn hub(fault: Fault) -> FakeHub {
    FakeHub::start(&fleet(4, 2, 3), fault).await
}

pub(super) fn found(outcome: &Outcome) -> Vec<Found> {
    outcome.breaches.iter().map(|breach| breach.fault.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_run_gets_everything_through_in_both_codecs() {
    for codec in Codec::ALL {
        let hub = hub(Fault::None).await;
        let setup = setup(&hub, codec, 300.0, 700);
        let outcome = thread::run(&setup, false).await.expect("runs");
        assert_eq!(found(&outcome), []);
        let report = Report::new("thread", &setup, &[hub.url()], &outcome);
        assert_eq!((report.replies.offered, report.replies.acked, report.replies.not_settled), (210, 210, 0));
        assert!(report.replies.refusals["busy"] == 3 && report.replies.refusals["stale"] > 0, "{:?}", report.replies.refusals);
        // Three others at each ticket see each public reply, two each note.
        let deliveries = report.delivery_ms.count;
        assert!((2 * 210..=3 * 210).contains(&deliveries), "{deliveries}");
        let saved = serde_json::to_string(&report).expect("plain data");
        let read: Report = serde_json::from_str(&saved).expect("its own");
        assert_eq!(
            (&read.ack_ms, &read.made, &read.replies.refusals),
            (&report.ack_ms, &report.made, &report.replies.refusals)
        );
        let parts: Vec<_> = read.series.parts.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(parts, ["rising", "steady", "settling"]);
        assert!(read.series.began <= read.made.at && (read.made.at - read.series.began).as_secs() < 60, "{saved}");
        assert!(read.made.machine.processors > 0 && !read.ack_ms.buckets.is_empty(), "{saved}");
        let table = report.table();
        for words in ["every guarantee held", "4 commands in flight", "acked within 1 s", "stale"] {
            assert!(table.contains(words), "{table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_replies_of_a_search_are_judged_and_no_part_of_the_figures() {
    let hub = hub(Fault::None).await;
    let setup = setup(&hub, Codec::MsgPack, 100.0, 300);
    let mut crew = Crew::assemble(&setup, None).await.expect("there is room");
    let lag = LagMeter::start();
    assert!(thread::try_rate(&mut crew, 40.0, Duration::from_millis(500)).await.expect("runs") > 0.98);
    let figures = Figures { offered: 0, rate: 40.0, measured: Duration::ZERO, trials: vec![(40.0, 1.0)] };
    let outcome = verdict::reach(crew, lag, &setup, figures).await.expect("judged");
    let report = Report::new("thread", &setup, &[hub.url()], &outcome);
    assert_eq!(found(&outcome), []);
    assert_eq!(
        (report.replies.acked, report.driver.send_lag_ms.count, report.ack_ms.count, report.delivery_ms.count),
        (0, 0, 0, 0)
    );
    assert_eq!(report.replies.acked_in_whole_run, 40, "twenty while the rate rose for a second, twenty after");
    assert!(report.table().contains("tried       40 replies/s: 100.0 %"), "{}", report.table());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resume_run_survives_cuts_and_a_hub_that_dies_and_comes_back() {
    let mut hub = hub(Fault::None).await;
    let setup = setup(&hub, Codec::MsgPack, 250.0, 0);
    let run = tokio::spawn(async move { resume::run(&setup, Duration::from_millis(120), Until::Acked(600)).await });
    for replies in [100, 250, 400] {
        hub.has_taken(replies).await;
        hub.kill_and_restart().await;
    }
    let outcome = run.await.expect("no panic").expect("runs");
    assert_eq!(found(&outcome), []);
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Relaxed);
    let tally = &outcome.tally;
    assert!(count(&tally.acked) >= 600 && count(&tally.cut) > 20 && count(&tally.tails) > 20, "{tally:?}");
    assert!(count(&tally.dropped) > 0, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_forgets_what_it_acked_is_found_out() {
    let mut hub = hub(Fault::ForgetsWhenKilled).await;
    let setup = setup(&hub, Codec::Json, 300.0, 1_200);
    let run = tokio::spawn(async move { resume::run(&setup, Duration::from_secs(60), Until::Time).await });
    hub.has_taken(100).await;
    hub.kill_and_restart().await;
    let outcome = run.await.expect("no panic").expect("runs");
    assert!(found(&outcome).contains(&Found::AckedButLost), "{:?}", found(&outcome));
    assert!(found(&outcome).contains(&Found::WentBack), "{:?}", found(&outcome));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hubs_that_break_other_promises_are_found_out() {
    for (fault, cut_every_ms, is_found) in [
        (Fault::SkipsEvents, 60_000, (|found| matches!(found, Found::Gap { .. })) as fn(&Found) -> bool),
        (Fault::NeverStale, 60_000, |found| matches!(found, Found::BlindReply { .. })),
        (Fault::ForgetsKeys, 40, |found| matches!(found, Found::KeyTwice)),
    ] {
        let hub = hub(fault).await;
        let setup = setup(&hub, Codec::MsgPack, 400.0, 900);
        let outcome = resume::run(&setup, Duration::from_millis(cut_every_ms), Until::Time).await.expect("runs");
        assert!(found(&outcome).iter().any(is_found), "{fault:?}: {:?}", found(&outcome));
    }
}

#[tokio::test]
async fn a_token_the_hub_does_not_know_is_told_in_words() {
    let hub = hub(Fault::None).await;
    let mut setup = setup(&hub, Codec::Json, 10.0, 100);
    setup.tickets[1][1].member.token = "wrong".into();
    let error = thread::run(&setup, false).await.expect_err("turned away").to_string();
    assert!(error.contains("the hub refused hello of") && error.contains("unauthenticated"), "{error}");
}

#[tokio::test]
async fn a_ticket_that_is_not_there_is_told_in_words() {
    let hub = hub(Fault::None).await;
    let mut setup = setup(&hub, Codec::Json, 10.0, 100);
    setup.tickets[0][2].ticket = hub_core::ids::TicketId::new(uuid::Uuid::from_u128(1));
    let error = thread::run(&setup, false).await.expect_err("turned away").to_string();
    assert!(
        error.contains("subscribing to ticket:00000000-0000-0000-0000-000000000001") && error.contains("not_found"),
        "{error}"
    );
}
