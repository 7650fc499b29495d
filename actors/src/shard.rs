//! One arbiter's share of the tickets, workspaces and people: who is awake, waking the others, letting the idle go, and
//! forgetting those that panicked, so that the next message finds a fresh actor.
//!
//! Should the shard itself panic, it lives on: what it was busy with begins anew, and nothing else notices.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix::{Actor, Addr, ArbiterHandle, AsyncContext, Context, Handler, Message};
use hub_core::ids::{TicketKey, WorkspaceId};
use hub_core::time::UnixMs;
use hub_core::wire::Problem;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::facts::FactsCache;
use crate::metrics;
use crate::ticket::{TicketActor, TicketMessage, ToActor};
use crate::user::{UserActor, UserKey, UserMessage};
use crate::workspace::{WorkspaceActor, WorkspaceMessage};
use crate::{Ports, Settings, Tickets};

/// Messages that may wait for one shard. Commands are bounded by permits, watchers by sockets; this is the backstop.
const MAILBOX: usize = 65_536;

/// Panics of one ticket, each within [`QUARANTINE`] of the one before, after which it rests.
const MAX_DEATHS: u32 = 3;
/// How long it rests, and how long a panic is remembered.
const QUARANTINE: Duration = Duration::from_secs(60);

/// For a ticket of this shard.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ToTicket {
    pub ticket: TicketKey,
    pub message: TicketMessage,
}

/// For a workspace of this shard.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ToWorkspace {
    pub workspace: WorkspaceId,
    pub message: WorkspaceMessage,
}

/// For a person of this shard.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ToUser {
    pub user: UserKey,
    pub message: UserMessage,
}

/// The handle that the shard's actors reach others by: the first message of a shard.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Begin(pub Tickets);

/// A ticket has nothing to do and offers to go; `handled` counts the messages it has seen.
#[derive(Message)]
#[rtype(result = "()")]
pub struct OfferToGo {
    pub ticket: TicketKey,
    pub actor: Addr<TicketActor>,
    pub handled: u64,
}

/// Nobody watches a person's notifications any longer; as for a ticket.
#[derive(Message)]
#[rtype(result = "()")]
pub struct OfferUserToGo {
    pub user: UserKey,
    pub actor: Addr<UserActor>,
    pub handled: u64,
}

/// Nobody watches a workspace any longer; as for a ticket.
#[derive(Message)]
#[rtype(result = "()")]
pub struct OfferWorkspaceToGo {
    pub workspace: WorkspaceId,
    pub actor: Addr<WorkspaceActor>,
    pub handled: u64,
}

/// A ticket is no longer usable.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Gone {
    pub ticket: TicketKey,
    pub actor: Addr<TicketActor>,
    pub why: WhyGone,
}

/// The shard lost its footing while it was busy with this ticket, workspace or person: whoever waits is answered, whoever watches
/// asks again, and the next message finds a fresh actor.
#[derive(Message)]
#[rtype(result = "()")]
pub struct BeginAnew;

/// Why a ticket is no longer usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyGone {
    /// It could not be read: the next who comes tries again.
    Unread,
    /// It panicked.
    Panicked,
}

/// What every ticket actor of a shard shares.
pub struct Shared {
    pub ports: Ports,
    pub settings: Settings,
    pub facts: Arc<FactsCache>,
    pub activations: Arc<Semaphore>,
    pub shard: Addr<Shard>,
    pub tickets: Tickets,
    /// When this hub began.
    pub began: UnixMs,
}

/// See the module.
pub struct Shard {
    ports: Ports,
    settings: Settings,
    facts: Arc<FactsCache>,
    activations: Arc<Semaphore>,
    /// Something for one of the people found no room.
    overflowed: Arc<AtomicBool>,
    shared: Option<Arc<Shared>>,
    tickets: HashMap<TicketKey, Awake<TicketActor>>,
    /// Tickets that panicked not long ago.
    ailing: HashMap<TicketKey, Deaths>,
    workspaces: HashMap<WorkspaceId, Awake<WorkspaceActor>>,
    users: HashMap<UserKey, Awake<UserActor>>,
}

/// The panics of one ticket.
struct Deaths {
    count: u32,
    last: Instant,
}

struct Awake<A: Actor> {
    actor: Addr<A>,
    /// Messages sent to it: it may go only when it has handled them all.
    sent: u64,
}

impl<A: Actor> Awake<A> {
    /// True for the offer of the actor that is meant, which has seen everything that was sent to it.
    fn may_go(&self, actor: &Addr<A>, handled: u64) -> bool {
        self.actor == *actor && self.sent == handled
    }
}

impl Shard {
    pub fn start_on(
        arbiter: &ArbiterHandle,
        ports: Ports,
        settings: Settings,
        facts: Arc<FactsCache>,
        activations: Arc<Semaphore>,
        overflowed: Arc<AtomicBool>,
    ) -> Addr<Self> {
        Self::start_in_arbiter(arbiter, |ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            let (tickets, ailing, workspaces, users) = (HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new());
            Self { ports, settings, facts, activations, overflowed, shared: None, tickets, ailing, workspaces, users }
        })
    }
}

/// What a turn of a shard is about.
#[derive(Clone, Copy)]
enum About {
    /// The shard itself.
    Itself,
    Ticket(TicketKey),
    Workspace(WorkspaceId),
    User(UserKey),
}

impl Shard {
    /// Every way into the shard leads through here: a panic costs what the turn was about a new beginning, and nothing else.
    /// A message that was under way is dropped, which answers whoever sent it.
    fn guarded(&mut self, about: About, turn: impl FnOnce(&mut Self)) {
        if self.overflowed.load(Ordering::Relaxed) && self.overflowed.swap(false, Ordering::AcqRel) {
            tracing::warn!("something for people found no room: all that are here are read anew");
            // Not bounded by the mailboxes: one message for each who is here, the last that its actor gets, and it must arrive.
            self.users.drain().for_each(|(_, awake)| awake.actor.do_send(BeginAnew));
        }
        if catch_unwind(AssertUnwindSafe(|| turn(self))).is_ok() {
            return;
        }
        metrics::panicked("shard");
        tracing::error!("a shard panicked; what it was busy with begins anew");
        // Not bounded by the mailboxes: one message per panic, and it must arrive.
        match about {
            About::Itself => {}
            About::Ticket(ticket) => match self.tickets.get(&ticket) {
                Some(awake) => awake.actor.do_send(BeginAnew),
                None => self.died(ticket),
            },
            About::Workspace(workspace) => {
                if let Some(awake) = self.workspaces.get(&workspace) {
                    awake.actor.do_send(BeginAnew);
                }
            }
            About::User(user) => {
                if let Some(awake) = self.users.get(&user) {
                    awake.actor.do_send(BeginAnew);
                }
            }
        }
    }

    fn pass_to_ticket(&mut self, ToTicket { ticket, message }: ToTicket) {
        let Some(shared) = self.shared.clone() else { return message.refuse(Problem::busy(250)) };
        if message.is_idle_talk() && !self.tickets.contains_key(&ticket) {
            return;
        }
        if let Some(left) = self.rest_left(ticket) {
            return message.refuse(Problem::busy(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)));
        }
        if self.tickets.get(&ticket).is_some_and(|awake| !awake.actor.connected()) {
            self.tickets.remove(&ticket);
        }
        let awake = self.tickets.entry(ticket).or_insert_with(|| {
            let actor = TicketActor::wake(ticket, shared);
            Awake { actor, sent: 0 }
        });
        #[cfg(feature = "faults")]
        crate::faults::panic_if_armed(crate::faults::Point::Shard, ticket.ticket);
        if message.must_arrive() {
            awake.sent += 1;
            return awake.actor.do_send(ToActor(message));
        }
        match awake.actor.try_send(ToActor(message)) {
            Ok(()) => awake.sent += 1,
            Err(refused) => refused.into_inner().0.refuse(Problem::busy(250)),
        }
    }

    fn pass_to_workspace(&mut self, ToWorkspace { workspace, message }: ToWorkspace) {
        let Some(shared) = &self.shared else { return message.refuse(Problem::busy(250)) };
        if self.workspaces.get(&workspace).is_some_and(|awake| !awake.actor.connected()) {
            self.workspaces.remove(&workspace);
        }
        if message.is_idle_talk() && !self.workspaces.contains_key(&workspace) {
            return;
        }
        let wake = || Awake { actor: WorkspaceActor::wake(workspace, Arc::clone(shared)), sent: 0 };
        let awake = self.workspaces.entry(workspace).or_insert_with(wake);
        match awake.actor.try_send(crate::workspace::ToActor(message)) {
            Ok(()) => awake.sent += 1,
            Err(refused) => refused.into_inner().0.refuse(Problem::busy(250)),
        }
    }

    fn pass_to_user(&mut self, ToUser { user, message }: ToUser) {
        let Some(shared) = &self.shared else { return message.refuse(Problem::busy(250)) };
        if self.users.get(&user).is_some_and(|awake| !awake.actor.connected()) {
            self.users.remove(&user);
        }
        if message.is_idle_talk() && !self.users.contains_key(&user) {
            return;
        }
        let awake =
            self.users.entry(user).or_insert_with(|| Awake { actor: UserActor::wake(user, Arc::clone(shared)), sent: 0 });
        match awake.actor.try_send(crate::user::ToActor(message)) {
            Ok(()) => awake.sent += 1,
            Err(refused) => {
                refused.into_inner().0.refuse(Problem::busy(250));
                // It may have been news: nothing is skipped silently. Not bounded by the full mailbox, and the last it gets.
                if let Some(Awake { actor, .. }) = self.users.remove(&user) {
                    actor.do_send(BeginAnew);
                }
            }
        }
    }

    /// How long a ticket that keeps dying still rests, so that what kills it cannot keep the node busy.
    fn rest_left(&mut self, ticket: TicketKey) -> Option<Duration> {
        let deaths = self.ailing.get(&ticket)?;
        let left = QUARANTINE.saturating_sub(deaths.last.elapsed());
        if left.is_zero() {
            self.ailing.remove(&ticket);
            return None;
        }
        (deaths.count >= MAX_DEATHS).then_some(left)
    }

    fn died(&mut self, ticket: TicketKey) {
        self.ailing.retain(|_, deaths| deaths.last.elapsed() < QUARANTINE);
        let deaths = self.ailing.entry(ticket).or_insert(Deaths { count: 0, last: Instant::now() });
        deaths.count += 1;
        deaths.last = Instant::now();
        if deaths.count == MAX_DEATHS {
            metrics::quarantined();
            tracing::error!(ticket = %ticket.ticket, "a ticket keeps dying; it rests for a while");
        }
    }
}

impl Actor for Shard {
    type Context = Context<Self>;
}

impl Handler<Begin> for Shard {
    type Result = ();
    fn handle(&mut self, Begin(tickets): Begin, ctx: &mut Self::Context) {
        self.guarded(About::Itself, |shard| {
            shard.shared = Some(Arc::new(Shared {
                ports: shard.ports.clone(),
                settings: shard.settings.clone(),
                facts: Arc::clone(&shard.facts),
                activations: Arc::clone(&shard.activations),
                shard: ctx.address(),
                tickets,
                began: shard.ports.clock.now(),
            }));
        });
    }
}

impl Handler<ToTicket> for Shard {
    type Result = ();
    fn handle(&mut self, message: ToTicket, _: &mut Self::Context) {
        self.guarded(About::Ticket(message.ticket), |shard| shard.pass_to_ticket(message));
    }
}

impl Handler<ToWorkspace> for Shard {
    type Result = ();
    fn handle(&mut self, message: ToWorkspace, _: &mut Self::Context) {
        self.guarded(About::Workspace(message.workspace), |shard| shard.pass_to_workspace(message));
    }
}

impl Handler<ToUser> for Shard {
    type Result = ();
    fn handle(&mut self, message: ToUser, _: &mut Self::Context) {
        self.guarded(About::User(message.user), |shard| shard.pass_to_user(message));
    }
}

impl Handler<OfferUserToGo> for Shard {
    type Result = ();
    fn handle(&mut self, OfferUserToGo { user, actor, handled }: OfferUserToGo, _: &mut Self::Context) {
        self.guarded(About::User(user), |shard| {
            if shard.users.get(&user).is_some_and(|awake| awake.may_go(&actor, handled)) {
                shard.users.remove(&user);
            }
        });
    }
}

impl Handler<OfferWorkspaceToGo> for Shard {
    type Result = ();
    fn handle(&mut self, OfferWorkspaceToGo { workspace, actor, handled }: OfferWorkspaceToGo, _: &mut Self::Context) {
        self.guarded(About::Workspace(workspace), |shard| {
            if shard.workspaces.get(&workspace).is_some_and(|awake| awake.may_go(&actor, handled)) {
                shard.workspaces.remove(&workspace);
            }
        });
    }
}

impl Handler<OfferToGo> for Shard {
    type Result = ();
    fn handle(&mut self, OfferToGo { ticket, actor, handled }: OfferToGo, _: &mut Self::Context) {
        self.guarded(About::Ticket(ticket), |shard| {
            if shard.tickets.get(&ticket).is_some_and(|awake| awake.may_go(&actor, handled)) {
                // Forgotten first: whatever comes from now on wakes a fresh actor. The address was its last, so it ends.
                shard.tickets.remove(&ticket);
            }
        });
    }
}

impl Handler<Gone> for Shard {
    type Result = ();
    fn handle(&mut self, Gone { ticket, actor, why }: Gone, _: &mut Self::Context) {
        self.guarded(About::Ticket(ticket), |shard| {
            if shard.tickets.get(&ticket).is_some_and(|awake| awake.actor == actor) {
                shard.tickets.remove(&ticket);
            }
            match why {
                WhyGone::Panicked => shard.died(ticket),
                WhyGone::Unread => {}
            }
        });
    }
}
