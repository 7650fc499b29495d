//! The claim of a ticket, live: taken for whoever begins to answer, renewed by whatever its holder does, given up when its holder
//! has gone, ended when its time is over. What of this is in the log is for the rules; renewals are only here, and told to
//! colleagues now and then.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actix::Context;
use hub_core::ids::{CommandKey, UserId};
use hub_core::rules::claim::{GRACE, LEASE};
use hub_core::rules::intent::{Asker, Intent, Refusal, Step};
use hub_core::rules::permissions::Role;
use hub_core::rules::stale::Numbering;
use hub_core::time::UnixMs;
use hub_core::wire::{Claim, ErrorCode, Problem, ServerFrame, Signal};
use tokio::sync::oneshot;

use super::actor::TicketActor;
use super::pace::Pace;
use super::work::Command;
use crate::Receipt;
use crate::fanout::{CLAIM_SLOT, Delivery, Frame};
use crate::metrics::Counted;

/// Renewals are told no more often than this: a lease is much longer.
const TELL_RENEWALS: Duration = Duration::from_secs(5);
/// When to look again whether a claim could be ended.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// What is known of the claim beyond the log.
#[derive(Default)]
pub(super) struct ClaimKeeper {
    lease: Option<Lease>,
    /// The hub itself has asked for the claim in somebody's name, and waits for the answer.
    is_taking: bool,
    /// The same, to end it.
    is_ending: bool,
    /// Somebody used the key of that for something else: the next try goes by a key of its own.
    is_key_taken: bool,
    /// When the lease is looked at next.
    look_at: Option<UnixMs>,
    /// Who gave the claim up by hand, and goes on writing: it is not taken for them until they begin anew.
    declined: BTreeSet<UserId>,
}

/// A claim of the log, as long as it really lasts.
struct Lease {
    claim: Claim,
    /// The latest end: that of the log, or of a renewal.
    until: UnixMs,
    attendance: Attendance,
    /// The end that was told last.
    told: UnixMs,
    pace: Pace,
    _counted: Counted,
}

/// Whether the holder of a claim is at the ticket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attendance {
    /// Is not known to have been there and gone: only time ends the claim.
    NotSeen,
    Here,
    /// The last connection has gone.
    GoneSince(UnixMs),
}

impl ClaimKeeper {
    /// True while a claim runs: its ticket stays awake.
    pub fn is_at_work(&self) -> bool {
        self.lease.is_some()
    }
}

impl Lease {
    fn end(&self) -> UnixMs {
        match self.attendance {
            Attendance::NotSeen | Attendance::Here => self.until,
            Attendance::GoneSince(at) => self.until.min(at + GRACE),
        }
    }

    /// What ends it, where it is over.
    fn over(&self, now: UnixMs) -> Option<Step> {
        match self.attendance {
            Attendance::GoneSince(at) if now >= at + GRACE => Some(Step::ReleaseClaim { force: false }),
            _ if now >= self.until => Some(Step::ExpireClaim { since: self.claim.since }),
            Attendance::NotSeen | Attendance::Here | Attendance::GoneSince(_) => None,
        }
    }
}

impl TicketActor {
    /// The log may tell of another claim than is known here.
    ///
    /// One that was found there is honoured for as long as its holder may have renewed it with a hub that is gone: for a lease
    /// after this hub began. Where this is not the first actor of the ticket, its people come back in a moment and renew it.
    pub(super) fn heed_claim(&mut self, ctx: &mut Context<Self>) {
        let in_log = self.state().and_then(|state| state.claim.as_deref());
        let is_known = match (in_log, &self.claim.lease) {
            (None, None) => true,
            (Some(claim), Some(lease)) => (claim.by.id, claim.since) == (lease.claim.by.id, lease.claim.since),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if is_known {
            return;
        }
        let at_least = (self.shared.began + LEASE).max(self.shared.ports.clock.now() + GRACE);
        let lease = in_log.map(|claim| {
            let until = claim.until.max(at_least);
            let is_here = self.around.has(claim.by.id);
            let attendance = if is_here { Attendance::Here } else { Attendance::NotSeen };
            let mut pace = Pace::default();
            pace.told();
            Lease { claim: claim.clone(), until, attendance, told: until, pace, _counted: Counted::claim() }
        });
        self.claim.lease = lease;
        self.signal_claim();
        self.look_at_lease(ctx);
    }

    /// The claim with its renewals.
    pub(super) fn claim_as_renewed(&self) -> Option<Claim> {
        self.claim.lease.as_ref().map(|lease| Claim { until: lease.until, ..lease.claim.clone() })
    }

    /// Whoever is refused is told when the lease really ends.
    pub(super) fn with_renewals(&self, refusal: Refusal) -> Refusal {
        match (refusal, &self.claim.lease) {
            (Refusal::Claimed { by, until }, Some(lease)) if lease.claim.by.id == by.id => {
                Refusal::Claimed { by, until: until.max(lease.until) }
            }
            (refusal, _) => refusal,
        }
    }

    /// Somebody did something, so long ago: renews the claim where that is its holder.
    pub(super) fn renew_claim(&mut self, ctx: &mut Context<Self>, user: UserId, ago: Duration) {
        let now = self.shared.ports.clock.now();
        let Some(lease) = self.claim.lease.as_mut().filter(|lease| lease.claim.by.id == user) else { return };
        let until = UnixMs(now.0.saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX))) + LEASE;
        if until <= lease.until {
            return;
        }
        lease.until = until;
        if let Some(wait) = lease.pace.wait(TELL_RENEWALS) {
            self.in_a_while(ctx, wait, |actor, _| actor.tell_renewal());
        }
    }

    fn tell_renewal(&mut self) {
        let Some(lease) = &mut self.claim.lease else { return };
        lease.pace.come();
        if lease.told != lease.until {
            lease.told = lease.until;
            lease.pace.told();
            self.signal_claim();
        }
    }

    /// Told also where the log told it: a renewal that still waits to be read somewhere is replaced.
    fn signal_claim(&self) {
        if self.agents.is_empty() {
            return;
        }
        let topic = self.topic(Numbering::Ticket);
        let (by, until) = self.claim.lease.as_ref().map(|lease| (lease.claim.by.clone(), lease.until)).unzip();
        let frame = Frame::new(ServerFrame::Signal { topic: topic.topic, signal: Signal::Claim { by, until } });
        self.agents.publish(|| Delivery::Signal { topic, slot: CLAIM_SLOT, frame: Arc::clone(&frame) });
    }

    /// The hub itself sent somebody away. Where that was the holder's last connection, only time ends the claim: its holder comes
    /// back, perhaps to another hub.
    pub(super) fn excuse_holder(&mut self) {
        if let Some(lease) = &mut self.claim.lease
            && lease.attendance == Attendance::Here
            && !self.around.has(lease.claim.by.id)
        {
            lease.attendance = Attendance::NotSeen;
        }
    }

    /// Who is here changed: perhaps the holder has gone, or is back.
    pub(super) fn heed_attendance(&mut self, ctx: &mut Context<Self>) {
        let now = self.shared.ports.clock.now();
        let Some(lease) = &mut self.claim.lease else { return };
        let attendance = match (lease.attendance, self.around.has(lease.claim.by.id)) {
            (_, true) => Attendance::Here,
            (Attendance::Here, false) => Attendance::GoneSince(now),
            (gone @ (Attendance::NotSeen | Attendance::GoneSince(_)), false) => gone,
        };
        if attendance != lease.attendance {
            lease.attendance = attendance;
            self.look_at_lease(ctx);
        }
    }

    /// Ends the lease where it is over; else looks again when it may be.
    fn look_at_lease(&mut self, ctx: &mut Context<Self>) {
        let now = self.shared.ports.clock.now();
        let Some(lease) = &self.claim.lease else { return };
        if let Some(step) = lease.over(now) {
            let by = Asker { user: lease.claim.by.id, name: lease.claim.by.name.clone(), role: Role::Agent };
            let key = match step {
                // The same for every hub that ends it: it ends once.
                Step::ExpireClaim { since } if !self.claim.is_key_taken => {
                    CommandKey::derived(self.key.ticket, "claim expired", since)
                }
                _ => own_key(),
            };
            return self.end_claim(ctx, Intent { key, by, steps: vec![step] });
        }
        let end = lease.end();
        if self.claim.look_at.is_some_and(|at| at <= end) {
            return;
        }
        self.claim.look_at = Some(end);
        self.in_a_while(ctx, end - now, move |actor, ctx| {
            if actor.claim.look_at == Some(end) {
                actor.claim.look_at = None;
            }
            actor.look_at_lease(ctx);
        });
    }

    fn end_claim(&mut self, ctx: &mut Context<Self>, intent: Intent) {
        if std::mem::replace(&mut self.claim.is_ending, true) {
            return;
        }
        self.submit_own(ctx, intent, |actor, ctx, ended| {
            actor.claim.is_ending = false;
            actor.claim.is_key_taken = is_key_taken(&ended);
            actor.in_a_while(ctx, TRY_AGAIN, Self::look_at_lease);
        });
    }

    /// Somebody wants something that may be to give the claim up: then it is not taken for them again right away.
    pub(super) fn heed_intent(&mut self, ctx: &mut Context<Self>, intent: &Intent) {
        self.renew_claim(ctx, intent.by.user, Duration::ZERO);
        let gives_up = intent.steps.iter().any(|step| matches!(step, Step::ReleaseClaim { .. }));
        if gives_up && self.around.has(intent.by.user) {
            self.claim.declined.insert(intent.by.user);
        }
    }

    /// Somebody answers the customer. Where somebody else was quicker, that is so.
    pub(super) fn take_claim_for(&mut self, ctx: &mut Context<Self>, by: &Asker, has_just_begun: bool) {
        if has_just_begun {
            self.claim.declined.remove(&by.user);
        }
        let is_wanted = !self.claim.declined.contains(&by.user);
        let is_free = self.state().is_some_and(|state| state.claim.is_none());
        if !is_wanted || !is_free || std::mem::replace(&mut self.claim.is_taking, true) {
            return;
        }
        let intent = Intent { key: own_key(), by: by.clone(), steps: vec![Step::TakeClaim { force: false }] };
        self.submit_own(ctx, intent, |actor, _, _| actor.claim.is_taking = false);
    }

    /// Decides something that the hub itself wants, in its turn; comes back with what became of it.
    pub(super) fn submit_own(
        &mut self,
        ctx: &mut Context<Self>,
        intent: Intent,
        turn: impl FnOnce(&mut Self, &mut Context<Self>, Result<Receipt, Problem>) + 'static,
    ) {
        let (answer, answered) = oneshot::channel();
        self.waiting.push_back(Command::own(intent, answer));
        self.later(ctx, answered, move |actor, ctx, answer| {
            turn(actor, ctx, answer.unwrap_or_else(|_| Err(Problem::unavailable())));
        });
        self.work(ctx);
    }
}

/// Whether the key of what the hub wanted was used for something else: anybody can work it out.
pub(super) fn is_key_taken(answer: &Result<Receipt, Problem>) -> bool {
    answer.as_ref().is_err_and(|problem| problem.code == ErrorCode::Invalid)
}

/// A key that nobody has used.
pub(super) fn own_key() -> CommandKey {
    CommandKey::drawn(rand::random())
}
