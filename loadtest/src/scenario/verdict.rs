//! The end of every run: wait for what is outstanding, read the truth, send everybody home, and let the oracle judge.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hub_core::ids::TicketId;

use super::crew::{Crew, Testimony};
use super::{Outcome, Setup};
use crate::lag::LagMeter;
use crate::oracle;
use crate::oracle::history::{Heads, History, Step, TicketHistory, View};
use crate::reread::{self, Truth};

/// How long everybody may take to be shown the last event, once all answers are there.
const DELIVERY_GRACE: Duration = Duration::from_secs(10);

/// What a scenario knows of its own run.
#[derive(Debug)]
pub struct Figures {
    /// Replies that were due in the measured time.
    pub offered: u64,
    /// The rate that was asked for, or found.
    pub rate: f64,
    /// The measured time.
    pub measured: Duration,
    /// The search for a sustained rate.
    pub trials: Vec<(f64, f64)>,
}

/// Ends the run and judges it.
///
/// # Errors
/// When the truth cannot be read, or a client was turned away.
pub async fn reach(mut crew: Crew, lag: LagMeter, setup: &Setup, figures: Figures) -> anyhow::Result<Outcome> {
    crew.end_cutting();
    let is_settled = crew.settle(setup.grace).await;
    if !is_settled {
        crew.fall_silent();
    }
    crew.tally.pulse.end();
    let lag = lag.stop();
    crew.progress.set_message("reading every ticket's log from scratch");
    let truths = reread::read(&setup.routes.route(0, 0), &setup.tickets, setup.grace).await?;
    let tickets: Vec<_> = setup.tickets.iter().flatten().map(|seat| seat.ticket).collect();
    let heads = |index: usize, view| truths.get(&tickets[index]).map_or(0, |truth| truth.head(view));
    crew.wait_until_reached(heads, DELIVERY_GRACE).await;
    let (tally, progress) = (Arc::clone(&crew.tally), crew.progress.clone());
    let testimonies = crew.go_home().await?;
    // A timer, or a command that was not answered in time, may have added an event after the truth was read: then it is read again.
    let after = truths.iter().map(|(id, truth)| (*id, (truth.head(View::Ticket), truth.head(View::Thread)))).collect();
    let truths = if !is_settled || testimonies.iter().any(|testimony| saw_beyond(testimony, &truths)) {
        reread::read(&setup.routes.route(0, 0), &setup.tickets, setup.grace).await?
    } else {
        truths
    };
    let greetings = testimonies
        .iter()
        .filter_map(|testimony| testimony.greeting.clone())
        .map(|greeting| (greeting.node.clone(), greeting))
        .collect();
    let send_lateness_us = testimonies.iter().flat_map(|testimony| testimony.lateness_us.iter().copied()).collect();
    let outages = testimonies.iter().flat_map(|testimony| testimony.outages.iter().copied()).collect();
    let history = history_of(testimonies, truths, &after, setup);
    progress.set_message("asking the oracle");
    let breaches = oracle::judge(&history);
    progress.finish_and_clear();
    let Figures { offered, rate, measured, trials } = figures;
    Ok(Outcome {
        history,
        breaches,
        greetings,
        tally,
        send_lateness_us,
        lag,
        offered,
        rate,
        measured,
        outages,
        own: None,
        unmet: vec![],
        trials,
    })
}

fn saw_beyond(testimony: &Testimony, truths: &BTreeMap<TicketId, Truth>) -> bool {
    let head = truths.get(&testimony.seat.ticket).map_or(0, |truth| truth.head(testimony.history.view));
    let seen = testimony.history.steps.iter().map(|step| match step {
        Step::Event { fact, .. } => fact.seq,
        Step::Tail(tail) | Step::Reset(tail) => tail.seq,
        Step::Ended(_) => 0,
    });
    seen.max().unwrap_or(0) > head
}

fn history_of(
    testimonies: Vec<Testimony>,
    mut truths: BTreeMap<TicketId, Truth>,
    after: &BTreeMap<TicketId, (u64, u64)>,
    setup: &Setup,
) -> History {
    let mut testimonies = testimonies.into_iter();
    let tickets = setup.tickets.iter().filter_map(|seats| {
        let id = seats.first()?.ticket;
        let clients: Vec<_> = testimonies.by_ref().take(seats.len()).map(|testimony| testimony.history).collect();
        let first_seen =
            clients.iter().filter(|client| client.view == View::Ticket).filter_map(|client| match client.steps.first() {
                Some(Step::Reset(tail) | Step::Tail(tail)) => Some(tail.seq),
                Some(Step::Event { .. } | Step::Ended(_)) | None => None,
            });
        let before = first_seen.min().unwrap_or(0);
        let (after, thread_after) = after.get(&id).copied().unwrap_or_default();
        let Truth { log, thread } = truths.remove(&id).unwrap_or_default();
        Some(TicketHistory { id, log, thread: Some(thread), heads: Heads { before, after, thread_after }, clients })
    });
    History { tickets: tickets.collect() }
}
