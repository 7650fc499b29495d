//! What the stories stand on: a desk with people, tickets and watchers, all on one thread.

use std::sync::Arc;
use std::time::Duration;

use actors::fanout::{
    Attach, ConnectionId, FanoutHandle, Going, Outbox, OutboxLimits, SetPresence, Subscribe, Unsubscribe, WatchRows,
};
use actors::{Ports, Receipt, Settings, Tickets};
use hub_core::ids::{CommandKey, TicketId, TicketKey};
use hub_core::ports::{Append, Journal};
use hub_core::rules::intent::{Asker, Intent};
use hub_core::rules::permissions::Role;
use hub_core::rules::presence::{Doing, Said};
use hub_core::rules::resume::Position;
use hub_core::testing::{
    FixedClock, MemoryJournal, MemoryWorkspaces, appended, asker, create, key, reply, ticket_key, workspace_facts,
};
use hub_core::wire::{Audience, Codec, ErrorCode, Problem, ServerFrame, Topic};
use tokio::sync::oneshot;

pub const TICKET: TicketKey = ticket_key(1, 2);
pub const OTHER: TicketKey = ticket_key(1, 3);

pub fn ana() -> Asker {
    asker(Role::Agent, 7)
}
pub fn bo() -> Asker {
    asker(Role::Agent, 9)
}
pub fn cleo() -> Asker {
    asker(Role::Customer, 8)
}

/// Everything together, in memory.
pub struct Desk {
    pub journal: MemoryJournal,
    pub workspaces: MemoryWorkspaces,
    pub clock: Arc<FixedClock>,
    pub tickets: Tickets,
    pub fanout: FanoutHandle,
}

impl Desk {
    /// A desk whose settings a story may change.
    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let facts = workspace_facts(TICKET.workspace, &[ana(), bo()]);
        let (journal, workspaces, clock) = (MemoryJournal::new(), MemoryWorkspaces::of(facts), Arc::new(FixedClock::default()));
        Self::over(journal, workspaces, clock, change)
    }

    /// A hub over what another one left behind that did `work`, and is gone with its thread.
    pub fn after<F: Future<Output = ()>>(work: impl FnOnce(Arc<Self>) -> F + Send + 'static) -> Self {
        let gone = std::thread::spawn(|| {
            actix_rt::System::new().block_on(async {
                let desk = Arc::new(Self::open().await);
                work(Arc::clone(&desk)).await;
                (desk.journal.clone(), desk.workspaces.clone(), Arc::clone(&desk.clock))
            })
        });
        let (journal, workspaces, clock) = gone.join().expect("it does its work");
        Self::over(journal, workspaces, clock, |_| {})
    }

    /// Another hub over the same database.
    pub fn another(&self) -> Self {
        Self::over(self.journal.clone(), self.workspaces.clone(), Arc::clone(&self.clock), |_| {})
    }

    fn over(
        journal: MemoryJournal,
        workspaces: MemoryWorkspaces,
        clock: Arc<FixedClock>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings { shards: 0, ..Settings::default() };
        change(&mut settings);
        let ports = Ports {
            journal: Arc::new(journal.clone()),
            notifications: Arc::new(journal.clone()),
            drafts: Arc::new(journal.clone()),
            lists: Arc::new(journal.lists()),
            workspaces: Arc::new(workspaces.clone()),
            clock: clock.clone(),
        };
        let tickets = actors::start(ports, settings);
        let fanout = FanoutHandle::start(tickets.clone());
        Self { journal, workspaces, clock, tickets, fanout }
    }

    /// A desk with two tickets of Cleo's.
    pub async fn open() -> Self {
        let desk = Self::with(|_| {});
        desk.create_both().await;
        desk
    }

    pub async fn create_both(&self) {
        for (number, ticket) in [(41, TICKET), (42, OTHER)] {
            let intent = create(key(u128::from(number) + 1_000), cleo(), number);
            self.tickets.submit(ticket, intent).await.expect("a customer opens a ticket");
        }
    }

    pub async fn reply(&self, by: Asker, key_number: u128, based_on: u64) -> Result<Receipt, Problem> {
        self.tickets.submit(TICKET, public(by, key_number, based_on)).await
    }

    /// Writes past the actors, as another node would.
    pub async fn write_elsewhere(&self, intent: &Intent) {
        self.write_elsewhere_to(TICKET, intent).await;
    }

    /// The same, to a ticket of the story's choice.
    pub async fn write_elsewhere_to(&self, ticket: TicketKey, intent: &Intent) {
        let facts = workspace_facts(ticket.workspace, &[ana(), bo()]);
        let state = self.journal.peek(ticket);
        let append: Append = appended(ticket, state.as_ref(), intent, &facts, hub_core::ports::Clock::now(self.clock.as_ref()));
        self.journal.append(append).await.expect("memory");
    }

    /// Lets everything that can happen without time happen.
    pub async fn settle(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }

    /// Time goes on by both clocks, little by little, as timers fire.
    pub async fn pass(&self, span: Duration) {
        let is_long = span > Duration::from_secs(5);
        self.pass_in_steps(span, Duration::from_millis(if is_long { 500 } else { 50 })).await;
    }

    /// The same in a hurry.
    pub async fn pass_coarsely(&self, span: Duration) {
        self.pass_in_steps(span, Duration::from_secs(3)).await;
    }

    async fn pass_in_steps(&self, span: Duration, longest: Duration) {
        let mut left = span;
        while !left.is_zero() {
            let step = longest.min(left);
            self.clock.advance(step);
            tokio::time::advance(step).await;
            self.settle().await;
            left -= step;
        }
    }

    /// A socket that watches the ticket from its own side, and has read that it does.
    pub async fn watching(&self, by: Asker) -> Socket {
        let topic = if by.role == Role::Customer { Topic::Thread(TICKET.ticket) } else { Topic::Ticket(TICKET.ticket) };
        let socket = self.socket(by);
        socket.subscribe(1, topic, None);
        self.settle().await;
        let frames = socket.read();
        assert!(matches!(frames.first(), Some(ServerFrame::Subscribed { .. })), "{frames:?}");
        socket
    }

    pub fn socket(&self, by: Asker) -> Socket {
        self.socket_with(by, OutboxLimits::default())
    }

    pub fn socket_with(&self, by: Asker, limits: OutboxLimits) -> Socket {
        let connection = ConnectionId::next();
        let outbox = Arc::new(Outbox::new(limits, || {}));
        let cut = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let was_cut = Arc::clone(&cut);
        self.fanout
            .request(Attach {
                connection,
                outbox: Arc::clone(&outbox),
                codec: Codec::Json,
                by,
                workspace: TICKET.workspace,
                max_topics: 10,
                cut: Arc::new(move |_| was_cut.store(true, std::sync::atomic::Ordering::SeqCst)),
            })
            .expect("room");
        Socket { connection, outbox, fanout: self.fanout.clone(), cut }
    }
}

pub fn public(by: Asker, key_number: u128, based_on: u64) -> Intent {
    reply(key(key_number), by, &format!("reply {key_number}"), Audience::Public, Some(based_on))
}

pub fn note(by: Asker, key_number: u128) -> Intent {
    reply(key(key_number), by, &format!("note {key_number}"), Audience::Internal, None)
}

pub fn command_key(number: u128) -> CommandKey {
    key(number)
}

pub fn code(result: Result<Receipt, Problem>) -> Result<u64, ErrorCode> {
    result.map(|receipt| receipt.seq).map_err(|problem| problem.code)
}

/// A socket that reads whenever a story looks.
pub struct Socket {
    pub connection: ConnectionId,
    outbox: Arc<Outbox>,
    fanout: FanoutHandle,
    pub cut: Arc<std::sync::atomic::AtomicBool>,
}

impl Socket {
    pub fn subscribe(&self, id: u64, topic: Topic, position: Position) {
        self.fanout.request(Subscribe { connection: self.connection, id, topic, position }).expect("room");
    }

    pub fn unsubscribe(&self, id: u64, topic: Topic) {
        self.fanout.request(Unsubscribe { connection: self.connection, id, topic }).expect("room");
    }

    pub fn watch_rows(&self, id: u64, rows: &[TicketKey]) {
        let tickets = rows.iter().map(|row| row.ticket).collect();
        self.fanout.request(WatchRows { connection: self.connection, id, tickets }).expect("room");
    }

    pub fn detach(&self) {
        self.fanout.detach(self.connection, Going::Left);
    }

    pub fn is_sent_away(&self) {
        self.fanout.detach(self.connection, Going::SentAway);
    }

    pub fn breaks(&self) {
        self.fanout.detach(self.connection, Going::Lost);
    }

    /// Says what its person does at a ticket; the answer comes when there is one.
    pub fn set_presence(&self, ticket: TicketId, doing: Doing) -> oneshot::Receiver<Result<(), Problem>> {
        let (answer, answered) = oneshot::channel();
        let said = Said { doing, field: None };
        self.fanout.request(SetPresence { connection: self.connection, ticket, said, answer }).expect("room");
        answered
    }

    pub fn was_cut(&self) -> bool {
        self.cut.load(std::sync::atomic::Ordering::SeqCst)
    }

    pub fn read(&self) -> Vec<ServerFrame> {
        self.outbox.drain().iter().map(|bytes| Codec::Json.decode(bytes).expect("a frame")).collect()
    }

    /// What was read, in few words: `+7` an event, `=3..7` a tail to head 7, `R7` a reset at 7, `ack 1`, `err 2 NotFound`.
    pub fn read_words(&self) -> Vec<String> {
        self.read().iter().map(words).collect()
    }
}

pub fn words(frame: &ServerFrame) -> String {
    match frame {
        ServerFrame::Event { seq, .. } => format!("+{seq}"),
        ServerFrame::Subscribed { id, seq, events: Some(events), .. } => {
            let seqs: Vec<_> = events.iter().map(|e| e.seq.to_string()).collect();
            format!("{} ={}@{seq}", id.map_or("-".into(), |id| id.to_string()), seqs.join(","))
        }
        ServerFrame::Subscribed { id, seq, .. } => format!("{} R{seq}", id.map_or("-".into(), |id| id.to_string())),
        ServerFrame::Ack { id, .. } => format!("ack {id}"),
        ServerFrame::Error { id, code, .. } => format!("err {} {code:?}", id.unwrap_or(0)),
        ServerFrame::Unsubscribed { code, .. } => format!("gone {code:?}"),
        ServerFrame::Signal { .. } => "signal".into(),
        other => format!("{other:?}"),
    }
}

pub const LONG: Duration = Duration::from_secs(3_600);
