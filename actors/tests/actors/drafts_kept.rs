//! Whatever two people with two tabs each, on two hubs, write, send, hold, take back, hand over and throw away, with a database that
//! goes away and tickets that panic: every word that was acked is in a draft, in the log, or was given up by somebody who had it
//! before his eyes.

use std::collections::BTreeSet;
use std::time::Duration;

use actors::DraftSave;
use actors::fanout::ConnectionId;
use hub_core::ids::CommandKey;
use hub_core::rules::drafts::{DraftKey, Kept};
use hub_core::rules::intent::{Asker, Intent, Step};
use hub_core::testing::key;
use hub_core::wire::{Audience, Draft, ErrorCode, Event, Problem};
use tokio::task::JoinHandle;

use crate::desk::{Desk, TICKET, ana, bo, note};

type Words = BTreeSet<u32>;

fn words(body: &str) -> Words {
    body.split_whitespace().filter_map(|word| word.strip_prefix('w')?.parse().ok()).collect()
}

fn text_of(words: &Words) -> String {
    words.iter().map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ")
}

/// One tab: what it shows, and the last revision it knows.
struct Tab {
    by: Asker,
    hub: usize,
    origin: ConnectionId,
    revision: u64,
    shown: Words,
    saving: Vec<JoinHandle<Result<Kept, Problem>>>,
}

struct World {
    /// Two hubs over one database.
    hubs: [Desk; 2],
    tabs: Vec<Tab>,
    acked: Words,
    given_up: Words,
    held: Vec<(usize, CommandKey)>,
    next_word: u32,
    next_key: u128,
    panics: u32,
}

impl World {
    async fn new() -> Self {
        let desk = Desk::open().await;
        let hubs = [desk.another(), desk];
        let tab = |by, hub| {
            let (origin, revision, shown, saving) = (ConnectionId::next(), 0, Words::new(), vec![]);
            Tab { by, hub, origin, revision, shown, saving }
        };
        let tabs = vec![tab(ana(), 0), tab(ana(), 1), tab(bo(), 0), tab(bo(), 1)];
        let (acked, given_up, held) = (Words::new(), Words::new(), vec![]);
        Self { hubs, tabs, acked, given_up, held, next_word: 0, next_key: 10, panics: 0 }
    }

    fn key(&mut self) -> CommandKey {
        self.next_key += 1;
        key(self.next_key)
    }

    /// Every word that is somewhere.
    fn known(&self) -> Words {
        let journal = &self.hubs[0].journal;
        let mut known = self.given_up.clone();
        for user in [ana().user, bo().user] {
            let kept = journal.peek_draft(TICKET, DraftKey { user, audience: Audience::Public });
            known.extend(kept.and_then(|kept| kept.text).map(|text| words(&text.body)).unwrap_or_default());
        }
        for happened in journal.peek_events(TICKET) {
            match &happened.event {
                Event::ReplyPosted { body, .. } | Event::ReplyHeld { body, .. } => known.extend(words(body)),
                Event::HandedOver { draft: Some(draft), .. } => known.extend(words(&draft.body)),
                _ => {}
            }
        }
        known
    }

    async fn pass(&self, ms: u64) {
        self.hubs[0].settle().await;
        tokio::time::advance(Duration::from_millis(ms)).await;
        self.hubs[0].settle().await;
    }

    /// A tab writes a new word and saves, whether or not it has its answers.
    fn write(&mut self, at: usize) {
        self.next_word += 1;
        self.tabs[at].shown.insert(self.next_word);
        self.save(at);
    }

    fn save(&mut self, at: usize) {
        let tab = &mut self.tabs[at];
        let (tickets, by, origin) = (self.hubs[tab.hub].tickets.clone(), tab.by.clone(), tab.origin);
        let save = DraftSave { revision: tab.revision, body: text_of(&tab.shown), based_on: 1 };
        let saving = async move { tickets.save_draft(TICKET, by, Audience::Public, save, origin).await };
        tab.saving.push(actix_rt::spawn(saving));
    }

    /// Reads the answers that have come; true when the last of them was an ack.
    async fn read_answers(&mut self, at: usize) -> bool {
        let mut is_acked = false;
        for saving in std::mem::take(&mut self.tabs[at].saving) {
            if !saving.is_finished() {
                self.tabs[at].saving.push(saving);
                continue;
            }
            let tab = &mut self.tabs[at];
            is_acked = false;
            match saving.await.expect("not cancelled") {
                Ok(kept) => {
                    is_acked = true;
                    tab.revision = kept.revision;
                    self.acked.extend(words(&kept.text.expect("a save").body));
                }
                Err(problem) if problem.code == ErrorCode::Stale => {
                    let theirs: Option<Draft> = serde_json::from_value(problem.detail["draft"].clone()).expect("a draft");
                    tab.revision = theirs.as_ref().map_or(0, |draft| draft.revision);
                    tab.shown.extend(theirs.map(|draft| words(&draft.body)).unwrap_or_default());
                }
                // Nothing happened, or nobody knows: the tab keeps its text, and saves it again.
                Err(_) => {}
            }
        }
        is_acked
    }

    /// Writes one more word and saves, until what the tab shows is what is stored, while the person does nothing else.
    async fn flush(&mut self, at: usize) {
        let user = self.tabs[at].by.user;
        for other in 0..self.tabs.len() {
            while self.tabs[other].by.user == user && !self.tabs[other].saving.is_empty() {
                self.pass(1_000).await;
                self.read_answers(other).await;
            }
        }
        for _ in 0..40 {
            self.write(at);
            while !self.tabs[at].saving.iter().all(JoinHandle::is_finished) {
                self.pass(1_000).await;
            }
            if self.read_answers(at).await {
                return;
            }
        }
        panic!("nothing is ever stored");
    }

    /// Asks until it is known whether it happened.
    async fn submit(&self, at: usize, step: Step, key: CommandKey) -> Result<(), ErrorCode> {
        let tab = &self.tabs[at];
        let mut last = ErrorCode::Unavailable;
        for _ in 0..40 {
            let intent = Intent { key, by: tab.by.clone(), steps: vec![step.clone()] };
            match self.hubs[tab.hub].tickets.submit(TICKET, intent).await.map_err(|problem| problem.code) {
                Ok(_) => return Ok(()),
                Err(code @ (ErrorCode::Unavailable | ErrorCode::Busy)) => last = code,
                Err(code) => return Err(code),
            }
            self.pass(1_000).await;
        }
        panic!("never answered: {last:?}");
    }

    /// What was sent is shown no longer.
    fn is_sent(&mut self, at: usize) {
        (self.tabs[at].shown, self.tabs[at].revision) = (Words::new(), 0);
    }

    async fn sends(&mut self, at: usize, is_held: bool) {
        if self.tabs[at].shown.is_empty() {
            return;
        }
        self.flush(at).await;
        let (body, key) = (text_of(&self.tabs[at].shown), self.key());
        let (audience, based_on, force, mentions) = (Audience::Public, Some(1), true, vec![]);
        let step = if is_held {
            Step::HoldReply { body, audience, based_on, force, mentions, then_status: None, hold_ms: 30_000 }
        } else {
            Step::PostReply { body, audience, based_on, force, mentions }
        };
        if self.submit(at, step, key).await.is_ok() {
            if is_held {
                self.held.push((at, key));
            }
            self.is_sent(at);
        }
    }

    async fn takes_back(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let ((at, held_key), key) = (self.held.remove(0), self.key());
        // It may have gone out by itself, or been judged anew.
        let _ = self.submit(at, Step::CancelHeld { held_key }, key).await;
    }

    async fn hands_over(&mut self, at: usize) {
        let to = if self.tabs[at].by.user == ana().user { bo() } else { ana() };
        let key = self.key();
        let step = Step::HandOver { to_id: Some(to.user), to_team_id: None, note: "Yours".into(), with_draft: true };
        if self.submit(at, step, key).await.is_ok() {
            self.is_sent(at);
        }
    }

    async fn throws_away(&mut self, at: usize) {
        self.flush(at).await;
        let tab = &self.tabs[at];
        self.given_up.extend(&tab.shown);
        let (tickets, by, origin) = (&self.hubs[tab.hub].tickets, tab.by.clone(), tab.origin);
        drop(tickets.discard_draft(TICKET, by, Audience::Public, Some(tab.revision), origin).await);
        self.is_sent(at);
    }

    async fn mishap(&mut self, which: usize) {
        let journal = &self.hubs[0].journal;
        match which {
            0 => journal.fail_next_draft(),
            1 => journal.lose_next_draft_answer(),
            2 => journal.fail_next_append(),
            3 => journal.lose_next_answer(),
            4 => journal.fail_next_reads(2),
            // Not so often that the ticket has to rest.
            5 if self.panics < 2 => {
                self.panics += 1;
                actors::faults::panic_at_next_command_here(TICKET.ticket);
                let key = self.next_key + 1_000_000;
                drop(self.hubs[0].tickets.submit(TICKET, note(bo(), key)).await);
            }
            _ => self.hubs[0].clock.advance(Duration::from_secs(31)),
        }
    }

    async fn act(&mut self, dice: &mut Dice) -> String {
        let at = dice.below(self.tabs.len());
        let deed = dice.below(20);
        match deed {
            0..8 => self.write(at),
            8 => {
                // Written over: it had been before this tab's eyes.
                let gone = self.tabs[at].shown.pop_first();
                self.given_up.extend(gone);
            }
            9..12 => self.pass([50, 400, 1_100][dice.below(3)]).await,
            12 | 13 => self.sends(at, false).await,
            14 => self.sends(at, true).await,
            15 => self.takes_back().await,
            16 => self.hands_over(at).await,
            17 => {
                let key = self.key();
                let _ = self.submit(at, Step::AcknowledgeHandoff, key).await;
            }
            18 if dice.below(3) == 0 => self.throws_away(at).await,
            _ => self.mishap(dice.below(7)).await,
        }
        self.hubs[0].settle().await;
        for tab in 0..self.tabs.len() {
            self.read_answers(tab).await;
        }
        format!("deed {deed} of tab {at}")
    }
}

#[actix_rt::test]
async fn no_word_that_was_acked_is_ever_lost() {
    tokio::time::pause();
    for seed in 1..=12_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut world = World::new().await;
        for step in 0..120 {
            let deed = world.act(&mut dice).await;
            let known = world.known();
            let lost: Vec<_> = world.acked.difference(&known).collect();
            assert!(lost.is_empty(), "seed {seed}, step {step}: {deed} lost {lost:?}");
        }
        assert!(world.acked.len() > 20, "seed {seed}: something was written: {}", world.acked.len());
    }
}

/// A small generator (xorshift), so that a seed tells the whole story.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
