//! Who is on a ticket: what each connection says, and what becomes of it for colleagues and for the customer.
//!
//! Per connection something is said; per person the most telling of it is shown. A lost connection is marked, and goes after
//! a while; who is composing and does not say so again is only looking. Who may be here is for `permissions`, when to tell whom
//! for the actor.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::UserId;
use crate::rules::permissions::Act;
use crate::time::UnixMs;
use crate::wire::{Activity, ActorKind, Audience, Presence, Support};

/// How long a connection that was lost is still shown, marked: long enough for a page to come back.
pub const LOST_FOR: Duration = Duration::from_secs(5);
/// How long composing holds without being said again.
pub const COMPOSING_FOR: Duration = Duration::from_secs(8);
/// Connections on one ticket at most; their people fit into one message.
pub const MAX_CONNECTIONS: usize = 400;

/// Who is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// The name to show.
    pub name: String,
    /// Whether colleague or customer.
    pub kind: ActorKind,
}

/// What somebody does. The later, the more it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doing {
    /// Has it open and is elsewhere.
    Idle,
    /// Looks.
    Viewing,
    /// Writes for colleagues.
    ComposingNote,
    /// Writes to the other side.
    ComposingReply,
}

impl Doing {
    /// What the words of the wire mean: an audience means something only while composing, and left out there it is the public.
    pub fn of(state: Activity, audience: Option<Audience>) -> Self {
        match (state, audience) {
            (Activity::Idle, _) => Self::Idle,
            (Activity::Viewing, _) => Self::Viewing,
            (Activity::Composing, Some(Audience::Internal)) => Self::ComposingNote,
            (Activity::Composing, Some(Audience::Public) | None) => Self::ComposingReply,
        }
    }

    /// In the words of the wire.
    pub const fn words(self) -> (Activity, Option<Audience>) {
        match self {
            Self::Idle => (Activity::Idle, None),
            Self::Viewing => (Activity::Viewing, None),
            Self::ComposingNote => (Activity::Composing, Some(Audience::Internal)),
            Self::ComposingReply => (Activity::Composing, Some(Audience::Public)),
        }
    }

    const fn is_composing(self) -> bool {
        match self {
            Self::Idle | Self::Viewing => false,
            Self::ComposingNote | Self::ComposingReply => true,
        }
    }
}

/// What a connection says of its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What this person does there.
    pub doing: Doing,
    /// The field that is open.
    pub field: Option<String>,
}

impl Said {
    /// Whoever says this must be allowed to do these.
    pub fn acts(&self) -> impl Iterator<Item = Act> + use<> {
        let writing = match self.doing {
            Doing::Idle | Doing::Viewing => None,
            Doing::ComposingNote => Some(Act::WriteNote),
            Doing::ComposingReply => Some(Act::ReplyPublicly),
        };
        let editing = self.field.is_some().then_some(Act::UpdateFields);
        [Some(Act::Read), writing, editing].into_iter().flatten()
    }
}

/// As many connections as may be are here already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many connections are on this ticket")]
pub struct Full;

/// Everybody on one ticket. `C` names a connection.
#[derive(Clone, Debug)]
pub struct Room<C> {
    connections: BTreeMap<C, Connection>,
}

#[derive(Clone, Debug)]
struct Connection {
    person: Person,
    said: Said,
    /// Since when this is being done.
    since: UnixMs,
    /// When it was said last.
    said_at: UnixMs,
    link: Link,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Open,
    Lost { at: UnixMs },
}

impl<C> Default for Room<C> {
    fn default() -> Self {
        Self { connections: BTreeMap::new() }
    }
}

impl<C: Copy + Ord> Room<C> {
    /// A connection said at `said_at` what its person does, for the first time or again.
    ///
    /// # Errors
    /// [`Full`], for one more connection than may be here.
    pub fn announce(&mut self, connection: C, person: Person, said: Said, said_at: UnixMs) -> Result<(), Full> {
        self.tick(said_at);
        let before = self.connections.get(&connection);
        if before.is_none() && self.connections.len() >= MAX_CONNECTIONS {
            return Err(Full);
        }
        let goes_on = before.filter(|before| before.said.doing == said.doing);
        let since = goes_on.map_or(said_at, |before| before.since);
        self.connections.insert(connection, Connection { person, said, since, said_at, link: Link::Open });
        Ok(())
    }

    /// A connection looks elsewhere: it counts no longer. One that is not here changes nothing.
    pub fn leave(&mut self, connection: C) {
        self.connections.remove(&connection);
    }

    /// A connection broke: marked from now on, gone after [`LOST_FOR`].
    pub fn lose(&mut self, connection: C, now: UnixMs) {
        self.tick(now);
        if let Some(entry) = self.connections.get_mut(&connection)
            && entry.link == Link::Open
        {
            entry.link = Link::Lost { at: now };
        }
    }

    /// Time passed: who was lost for long is gone, who has not said again to be composing is looking.
    pub fn tick(&mut self, now: UnixMs) {
        self.connections.retain(|_, connection| match connection.link {
            Link::Open => true,
            Link::Lost { at } => now < at + LOST_FOR,
        });
        for connection in self.connections.values_mut() {
            connection.look_up_from_writing(now);
        }
    }

    /// When [`Room::tick`] has something to do next.
    pub fn deadline(&self) -> Option<UnixMs> {
        self.connections.values().filter_map(Connection::deadline).min()
    }

    /// Everybody, one entry per person, by id: for colleagues.
    pub fn people(&self) -> Vec<Presence> {
        let mut shown: BTreeMap<UserId, Vec<&Connection>> = BTreeMap::new();
        for connection in self.connections.values() {
            shown.entry(connection.person.id).or_default().push(connection);
        }
        shown.values().filter_map(|connections| show(connections)).collect()
    }

    /// What the customer sees of everybody else: whether a colleague is writing to the customer right now. Never who, and
    /// nothing of notes.
    pub fn support(&self) -> Option<Support> {
        let writes = |connection: &Connection| {
            connection.person.kind == ActorKind::Agent
                && connection.link == Link::Open
                && connection.said.doing == Doing::ComposingReply
        };
        self.connections.values().any(writes).then_some(Support::Composing)
    }

    /// What a connection does, where it is here.
    pub fn doing(&self, connection: C) -> Option<Doing> {
        self.connections.get(&connection).map(|connection| connection.said.doing)
    }

    /// True where a person has an open connection here.
    pub fn has(&self, person: UserId) -> bool {
        self.connections.values().any(|connection| connection.person.id == person && connection.link == Link::Open)
    }

    /// True where nobody is here.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }
}

impl Connection {
    fn look_up_from_writing(&mut self, now: UnixMs) {
        let until = self.said_at + COMPOSING_FOR;
        if self.said.doing.is_composing() && now >= until {
            self.said.doing = Doing::Viewing;
            self.since = until;
        }
    }

    fn deadline(&self) -> Option<UnixMs> {
        let silent = self.said.doing.is_composing().then_some(self.said_at + COMPOSING_FOR);
        let gone = match self.link {
            Link::Open => None,
            Link::Lost { at } => Some(at + LOST_FOR),
        };
        [silent, gone].into_iter().flatten().min()
    }

    /// The higher, the more it tells: an open connection more than a lost one, writing more than looking.
    fn telling(&self) -> (bool, Doing) {
        (self.link == Link::Open, self.said.doing)
    }
}

/// What is shown of a person with these connections: the most telling of them, since the first that tells as much. A field that
/// is open at another of the open ones is shown as well.
fn show(connections: &[&Connection]) -> Option<Presence> {
    let most = connections.iter().map(|connection| connection.telling()).max()?;
    let shown = connections.iter().filter(|connection| connection.telling() == most).min_by_key(|c| c.since)?;
    let elsewhere = || connections.iter().filter(|c| c.link == shown.link).find_map(|c| c.said.field.clone());
    let (state, audience) = shown.said.doing.words();
    Some(Presence {
        id: shown.person.id,
        name: shown.person.name.clone(),
        kind: shown.person.kind,
        state,
        audience,
        field: shown.said.field.clone().or_else(elsewhere),
        since: shown.since,
        lost: shown.link != Link::Open,
    })
}
