//! Whatever two tabs, the database and the ticket do to one draft, in whatever order: what was acked is stored, and no word of it goes
//! that the one who wrote over it had not seen.

use std::collections::BTreeSet;
use std::sync::Arc;

use hub_core::rules::drafts::{DraftEffect, DraftText, together};
use proptest::prelude::*;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::*;

#[derive(Clone, Debug)]
enum Deed {
    /// A tab writes a new word and saves, whether or not it has its answers.
    Write(usize),
    /// Time passes, in tenths of a second.
    Pass(u64),
    /// What is being stored is written; its answer comes, or is lost.
    Stored { answered: bool },
    /// It is not written.
    NotStored,
    /// Another owner writes.
    Elsewhere,
    /// The draft is sent by a tab that has read its answers.
    Send(usize),
    /// A text comes back.
    ComeBack,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (0_usize..2).prop_map(Deed::Write),
        4 => (1_u64..12).prop_map(Deed::Pass),
        6 => any::<bool>().prop_map(|answered| Deed::Stored { answered }),
        1 => Just(Deed::NotStored),
        1 => Just(Deed::Elsewhere),
        1 => (0_usize..2).prop_map(Deed::Send),
        1 => Just(Deed::ComeBack),
    ]
}

type Words = BTreeSet<u32>;

fn words(body: &str) -> Words {
    body.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

fn text_of(words: &Words) -> String {
    words.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
}

fn person() -> PersonRef {
    PersonRef { id: UserId::new(Uuid::from_u128(1)), name: "Ana".into() }
}

fn key() -> DraftKey {
    DraftKey { user: person().id, audience: Audience::Public }
}

struct Tab {
    origin: ConnectionId,
    revision: u64,
    /// What it shows, and what it ever showed.
    shown: Words,
    seen: Words,
    waiting: Vec<(Words, oneshot::Receiver<Result<Kept, Problem>>)>,
}

struct World {
    shelf: Shelf,
    stored: Kept,
    storing: Vec<Kept>,
    is_known: bool,
    now: Instant,
    tabs: [Tab; 2],
    acked: Words,
    /// In the log, or gone before the eyes of whoever wrote over it.
    accounted: Words,
    next_word: u32,
    rooms: Arc<Semaphore>,
}

impl World {
    fn new() -> Self {
        let tab =
            || Tab { origin: ConnectionId::next(), revision: 0, shown: Words::new(), seen: Words::new(), waiting: vec![] };
        Self {
            shelf: Shelf::default(),
            stored: Kept::none(key()),
            storing: vec![],
            is_known: true,
            now: Instant::now(),
            tabs: [tab(), tab()],
            acked: Words::new(),
            accounted: Words::new(),
            next_word: 0,
            rooms: Arc::new(Semaphore::new(10_000)),
        }
    }

    fn word(&mut self) -> u32 {
        self.next_word += 1;
        self.next_word
    }

    fn there(&self) -> Words {
        self.stored.text.as_ref().map(|text| words(&text.body)).unwrap_or_default()
    }

    /// The database takes a draft that follows the present one.
    fn write(&mut self, next: Kept, by: Option<usize>) -> bool {
        if next.revision != self.stored.revision + 1 {
            return false;
        }
        let gone: Words = self.there().difference(&words(&next.text.as_ref().expect("saves only").body)).copied().collect();
        if let Some(tab) = by {
            assert!(gone.is_subset(&self.tabs[tab].seen), "tab {tab} wrote over {gone:?}, which it had not seen");
        }
        self.accounted.extend(gone);
        self.stored = next;
        true
    }

    fn write_at(&mut self, tab: usize) {
        let word = self.word();
        let tab = &mut self.tabs[tab];
        // What a tab shows may lose a word, too.
        if word.is_multiple_of(4) {
            tab.shown.pop_first();
        }
        tab.shown.insert(word);
        tab.seen.insert(word);
        let (answer, answered) = oneshot::channel();
        tab.waiting.push((tab.shown.clone(), answered));
        let deed = super::Deed::Save { revision: tab.revision, body: text_of(&tab.shown), based_on: 1 };
        let room = Arc::clone(&self.rooms).try_acquire_owned().expect("room");
        let wish = Wish {
            by: person(),
            audience: Audience::Public,
            deed,
            origin: tab.origin,
            answers: vec![answer],
            losses: 0,
            rooms: vec![room],
        };
        self.shelf.take(wish);
    }

    /// The hub's own loop: reads where it has to, stores what is due.
    fn go_on(&mut self) {
        if !self.is_known && self.storing.is_empty() {
            let read = if self.stored.revision == 0 { vec![] } else { vec![self.stored.clone()] };
            self.shelf.was_read(read);
            self.is_known = true;
        }
        if self.is_known && self.storing.is_empty() {
            self.storing = self.shelf.due(self.now, UnixMs(1), |_| false);
        }
        for tab in 0..2 {
            self.read_answers(tab);
        }
    }

    fn read_answers(&mut self, at: usize) {
        let tab = &mut self.tabs[at];
        let waiting = mem::take(&mut tab.waiting);
        for (saved, mut answered) in waiting {
            match answered.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => tab.waiting.push((saved, answered)),
                Err(oneshot::error::TryRecvError::Closed) => panic!("a saving was forgotten"),
                Ok(Ok(kept)) => {
                    let text = kept.text.expect("it was saved");
                    // Stored is this text, or a later one of the same tab in its place.
                    assert!(words(&text.body).is_subset(&tab.seen), "acked with somebody else's text");
                    tab.revision = tab.revision.max(kept.revision);
                    self.acked.extend(words(&text.body));
                }
                Ok(Err(problem)) if problem.code == ErrorCode::Stale => {
                    let theirs: Option<Draft> = serde_json::from_value(problem.detail["draft"].clone()).expect("a draft");
                    let shown = theirs.as_ref().map(|draft| words(&draft.body)).unwrap_or_default();
                    tab.seen.extend(&shown);
                    tab.shown.extend(shown);
                    tab.revision = theirs.map_or(0, |draft| draft.revision);
                }
                // Nothing happened, or nobody knows: the tab keeps its text, and saves it again.
                Ok(Err(_)) => {}
            }
        }
    }

    /// Which tab wrote this.
    fn author(&self, draft: &Kept) -> usize {
        let newest = words(&draft.text.as_ref().expect("saves only").body).into_iter().next_back().unwrap_or_default();
        usize::from(!self.tabs[0].shown.contains(&newest) || !self.tabs[0].seen.contains(&newest))
    }

    fn act(&mut self, deed: &Deed) {
        match deed {
            Deed::Write(tab) => self.write_at(*tab),
            Deed::Pass(tenths) => self.now += Duration::from_millis(100 * tenths),
            Deed::Stored { answered } => {
                let batch = mem::take(&mut self.storing);
                if batch.is_empty() {
                    return;
                }
                let mut written = vec![];
                for next in batch {
                    let (key, author) = (next.key, self.author(&next));
                    if self.write(next, Some(author)) {
                        written.push(key);
                    }
                }
                if *answered {
                    let (_, lost) = self.shelf.stored(&written);
                    self.is_known &= !lost;
                } else {
                    self.shelf.not_stored(&Problem::unavailable());
                    self.is_known = false;
                }
            }
            Deed::NotStored => {
                if !mem::take(&mut self.storing).is_empty() {
                    self.shelf.not_stored(&Problem::unavailable());
                    self.is_known = false;
                }
            }
            Deed::Elsewhere => {
                let word = self.word();
                let mut all = self.there();
                all.insert(word);
                let text = DraftText { body: text_of(&all), based_on: 1, authors: vec![person()] };
                let next = Kept { revision: self.stored.revision + 1, text: Some(text), ..self.stored.clone() };
                self.write(next, None);
                self.acked.insert(word);
            }
            // The ticket sends nothing of somebody whose draft is being stored.
            Deed::Send(tab) if self.storing.is_empty() && self.is_known => {
                let seen = self.tabs[*tab].seen.clone();
                if !self.there().is_subset(&seen) || self.shelf.kept(key()).revision != self.stored.revision {
                    return;
                }
                self.accounted.extend(self.there());
                self.change(&DraftEffect::Spend(key()));
            }
            Deed::ComeBack if self.storing.is_empty() && self.is_known => {
                if self.shelf.kept(key()).revision != self.stored.revision {
                    return;
                }
                let word = self.word();
                self.acked.insert(word);
                let text = DraftText { body: word.to_string(), based_on: 1, authors: vec![person()] };
                self.change(&DraftEffect::GiveBack(key(), text));
            }
            Deed::Send(_) | Deed::ComeBack => {}
        }
    }

    fn change(&mut self, effect: &DraftEffect) {
        let changes = together([effect]);
        if let Some(after) = self.stored.after(&changes[0], UnixMs(2)) {
            self.stored = after;
        }
        self.shelf.changed(&changes, UnixMs(2));
        assert_eq!(self.shelf.kept(key()), self.stored, "memory follows what is stored");
    }
}

#[test]
fn a_ticket_takes_so_many_drafts_and_no_more() {
    let (mut shelf, rooms) = (Shelf::default(), Arc::new(Semaphore::new(10_000)));
    let mut saves = |number: u32| {
        let (answer, answered) = oneshot::channel();
        let by = PersonRef { id: UserId::new(Uuid::from_u128(number.into())), name: String::new() };
        let deed = super::Deed::Save { revision: 0, body: String::new(), based_on: 1 };
        let rooms = vec![Arc::clone(&rooms).try_acquire_owned().expect("room")];
        let (audience, origin, answers) = (Audience::Public, ConnectionId::next(), vec![answer]);
        shelf.take(Wish { by, audience, deed, origin, answers, losses: 0, rooms });
        answered
    };
    let mut waiting: Vec<_> = (1..=MAX_DRAFTS).map(&mut saves).collect();
    let refused = saves(MAX_DRAFTS + 1).try_recv().expect("at once");
    assert_eq!(refused.map_err(|problem| problem.code), Err(ErrorCode::LimitReached));
    let again = saves(1);
    assert!(waiting.iter_mut().all(|answered| answered.try_recv().is_err()), "the others wait to be stored");
    drop(again);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn what_is_acked_is_stored_and_nobody_writes_over_what_he_has_not_seen(deeds in prop::collection::vec(deed(), 0..80)) {
        let mut world = World::new();
        for deed in &deeds {
            world.act(deed);
            world.go_on();
            let known: Words = world.there().union(&world.accounted).copied().collect();
            prop_assert!(known.is_superset(&world.acked), "lost {:?} by {deed:?}", world.acked.difference(&known));
        }
        // In the end everybody is answered.
        for _ in 0..40 {
            world.act(&Deed::Pass(10));
            world.go_on();
            world.act(&Deed::Stored { answered: true });
            world.go_on();
        }
        for tab in &world.tabs {
            prop_assert!(tab.waiting.is_empty(), "somebody waits for ever");
        }
    }
}
