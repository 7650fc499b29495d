//! What the rules of drafts promise: by examples, and for any interleaving of two devices and what happens to their replies.

use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn person(number: u128) -> PersonRef {
    PersonRef { id: UserId::new(Uuid::from_u128(number)), name: format!("Person {number}") }
}

fn key() -> DraftKey {
    DraftKey { user: person(1).id, audience: Audience::Public }
}

fn text(body: &str, based_on: u64, author: u128) -> DraftText {
    DraftText { body: body.into(), based_on, authors: vec![person(author)] }
}

fn saved(kept: &Kept, revision: u64, body: &str) -> Kept {
    kept.save(revision, body, 5, &person(1), UnixMs(9)).expect("the present one").expect("another text")
}

fn body(kept: &Kept) -> Option<&str> {
    kept.text.as_ref().map(|text| text.body.as_str())
}

#[test]
fn of_two_who_saw_the_same_revision_the_second_is_refused_and_nothing_is_lost() {
    let first = saved(&Kept::none(key()), 0, "one");
    assert_eq!((first.revision, body(&first)), (1, Some("one")));
    let second = saved(&first, 1, "one two");
    assert_eq!(second.save(1, "one too", 5, &person(1), UnixMs(9)), Err(NotThePresentOne));
    assert_eq!(second.save(0, "anew", 5, &person(1), UnixMs(9)), Err(NotThePresentOne), "there is a text");
    assert_eq!(second.save(7, "ahead", 5, &person(1), UnixMs(9)), Err(NotThePresentOne));
}

#[test]
fn a_save_that_comes_again_is_one_save() {
    let first = saved(&Kept::none(key()), 0, "one");
    assert_eq!(first.save(0, "one", 5, &person(1), UnixMs(99)), Ok(None), "its ack was lost");
    assert_eq!(first.save(1, "one", 5, &person(1), UnixMs(99)), Ok(None));
    assert_eq!(saved(&first, 1, "two").revision, 2);
}

#[test]
fn where_a_text_was_thrown_away_a_new_one_begins_and_the_revision_goes_on() {
    let first = saved(&Kept::none(key()), 0, "one");
    assert_eq!(first.discard(Some(7), UnixMs(2)), Err(NotThePresentOne));
    let gone = first.discard(Some(1), UnixMs(2)).expect("the present one").expect("there was one");
    assert_eq!((gone.revision, body(&gone)), (2, None));
    assert_eq!(gone.discard(None, UnixMs(3)), Ok(None));
    for seen in [0, 2] {
        let anew = saved(&gone, seen, "anew");
        assert_eq!((anew.revision, body(&anew)), (3, Some("anew")));
    }
    assert_eq!(gone.save(1, "late", 5, &person(1), UnixMs(9)), Err(NotThePresentOne));
}

#[test]
fn what_comes_back_follows_what_is_there() {
    let back = DraftEffect::GiveBack(key(), text("and this", 3, 2));
    let change = &together([&back])[0];
    let kept = saved(&Kept::none(key()), 0, "this");
    let after = kept.after(change, UnixMs(7)).expect("a change");
    let expected = DraftText { body: "this\n\nand this".into(), based_on: 3, authors: vec![person(1), person(2)] };
    assert_eq!((after.revision, after.text), (2, Some(expected)));
    let onto_nothing = Kept::none(key()).after(change, UnixMs(7)).expect("a change");
    assert_eq!((onto_nothing.revision, body(&onto_nothing)), (1, Some("and this")));
    let spent = kept.after(&together([&DraftEffect::Spend(key())])[0], UnixMs(8)).expect("a change");
    assert_eq!((spent.revision, body(&spent)), (2, None));
    assert_eq!(spent.after(&together([&DraftEffect::Spend(key())])[0], UnixMs(8)), None, "nothing is left to spend");
}

#[test]
fn effects_of_one_append_on_one_draft_are_one_change_that_does_the_same() {
    let other = DraftKey { audience: Audience::Internal, ..key() };
    let effects = [
        DraftEffect::GiveBack(key(), text("a", 1, 1)),
        DraftEffect::Spend(other),
        DraftEffect::Spend(key()),
        DraftEffect::GiveBack(key(), text("b", 2, 2)),
        DraftEffect::GiveBack(key(), text("c", 1, 1)),
    ];
    let changes = together(&effects);
    assert_eq!(changes.iter().map(|change| (change.key, change.steps())).collect::<Vec<_>>(), [(key(), 2), (other, 1)]);
    let kept = saved(&Kept::none(key()), 0, "before");
    let one_by_one = effects.iter().filter(|effect| effect.key() == key()).fold(kept.clone(), |kept, effect| {
        let change = &together([effect])[0];
        kept.after(change, UnixMs(7)).unwrap_or(kept)
    });
    assert_eq!(kept.after(&changes[0], UnixMs(7)).map(|kept| kept.text), Some(one_by_one.text));
}

#[test]
fn a_draft_remembers_who_began_it_and_who_went_on_last() {
    let mut kept = Kept::none(key());
    for number in 2..=20 {
        let by = person(number);
        kept = kept.save(kept.revision, &format!("{number}"), 1, &by, UnixMs(1)).expect("present").expect("new");
        kept = kept.save(kept.revision, &format!("{number}!"), 1, &by, UnixMs(1)).expect("present").expect("new");
    }
    let authors: Vec<_> = kept.other_authors().into_iter().map(|author| author.id.uuid().as_u128()).collect();
    assert_eq!(authors, [2, 14, 15, 16, 17, 18, 19, 20]);
    assert_eq!(saved(&Kept::none(key()), 0, "mine").other_authors(), []);
}

#[test]
fn what_is_handed_over_goes_and_what_went_on_meanwhile_stays() {
    let kept = saved(&Kept::none(key()), 0, "this");
    let over = |body: &str| DraftEffect::HandOver(key(), body.to_owned());
    let after = |effects: &[DraftEffect]| kept.after(&together(effects)[0], UnixMs(8));
    let gone = after(&[over("this")]).expect("a change");
    assert_eq!((gone.revision, body(&gone)), (2, None));
    assert_eq!(after(&[over("this, as it was")]), None);
    // Both in one append: rather twice than nowhere.
    let back = DraftEffect::GiveBack(key(), text("back", 1, 1));
    for effects in [[over("this"), back.clone()], [back, over("this")]] {
        assert_eq!(body(&after(&effects).expect("a change")), Some("this\n\nback"));
    }
}

/// What a device, or the ticket, does.
#[derive(Clone, Debug)]
enum Deed {
    /// A device saves what it has and a new word.
    Save(usize),
    /// A device is told what there is, and goes on from it.
    Look(usize),
    /// A device throws the draft away that it sees.
    Discard(usize),
    /// A device sends what it has; refused, it stays.
    Send(usize, bool),
    /// The same, held back.
    Hold(usize),
    /// The oldest held reply comes back.
    Cancel,
    /// The draft is handed over.
    HandOver,
    /// What was handed over comes back, or goes to its new owner: here the same person.
    Acknowledge,
}

fn deed() -> impl Strategy<Value = Deed> {
    let device = 0_usize..2;
    prop_oneof![
        4 => device.clone().prop_map(Deed::Save),
        2 => device.clone().prop_map(Deed::Look),
        1 => device.clone().prop_map(Deed::Discard),
        2 => (device.clone(), any::<bool>()).prop_map(|(device, refused)| Deed::Send(device, refused)),
        1 => device.prop_map(Deed::Hold),
        1 => Just(Deed::Cancel),
        1 => Just(Deed::HandOver),
        1 => Just(Deed::Acknowledge),
    ]
}

/// Words are what is followed: each is written once, and has to be somewhere for ever.
type Words = BTreeSet<usize>;

fn words(body: &str) -> Words {
    body.split_whitespace().map(|word| word.parse().expect("a number")).collect()
}

#[derive(Default)]
struct Device {
    revision: u64,
    body: String,
}

/// One person with two devices, and the ticket's log.
struct World {
    kept: Kept,
    devices: [Device; 2],
    acked: Words,
    logged: Words,
    /// Seen by whoever wrote over it, sent something else instead, or threw it away.
    given_up: Words,
    held: Vec<DraftText>,
    handed_over: Option<DraftText>,
    next_word: usize,
}

impl World {
    fn new() -> Self {
        Self {
            kept: Kept::none(key()),
            devices: Default::default(),
            acked: Words::new(),
            logged: Words::new(),
            given_up: Words::new(),
            held: Vec::new(),
            handed_over: None,
            next_word: 0,
        }
    }

    fn there(&self) -> Words {
        body(&self.kept).map(words).unwrap_or_default()
    }

    fn apply(&mut self, effect: &DraftEffect) {
        let change = &together([effect])[0];
        if let Some(after) = self.kept.after(change, UnixMs(7)) {
            assert!(after.revision > self.kept.revision, "a revision never comes again");
            self.kept = after;
        }
    }

    fn save(&mut self, device: usize) {
        self.next_word += 1;
        let Device { revision, body } = &mut self.devices[device];
        // Writes over the last word that it has, so that what is seen may be replaced.
        let mut kept_words: Vec<&str> = body.split_whitespace().collect();
        if self.next_word.is_multiple_of(3) {
            kept_words.pop();
        }
        *body = format!("{} {}", kept_words.join(" "), self.next_word);
        let before = self.kept.text.as_ref().map(|text| words(&text.body)).unwrap_or_default();
        match self.kept.save(*revision, body, 1, &person(1), UnixMs(1)) {
            Ok(Some(after)) => {
                *revision = after.revision;
                self.given_up.extend(before.difference(&words(body)));
                self.acked.extend(words(body));
                self.kept = after;
            }
            Ok(None) => {}
            Err(NotThePresentOne) => self.look(device),
        }
    }

    /// The loser has its own text before its eyes, and puts both together.
    fn look(&mut self, device: usize) {
        let theirs = body(&self.kept).unwrap_or_default().to_owned();
        let Device { revision, body } = &mut self.devices[device];
        let mine: Vec<&str> =
            body.split_whitespace().filter(|word| !words(&theirs).contains(&word.parse().expect("a number"))).collect();
        *body = format!("{theirs} {}", mine.join(" "));
        *revision = self.kept.revision;
    }

    fn discard(&mut self, device: usize) {
        let there = self.there();
        if let Ok(Some(after)) = self.kept.discard(Some(self.devices[device].revision), UnixMs(1)) {
            self.given_up.extend(there);
            self.devices[device] = Device { revision: after.revision, body: String::new() };
            self.kept = after;
        }
    }

    /// The device sends what it has, if it has seen what is kept: else it looks first.
    fn send(&mut self, device: usize) -> Option<DraftText> {
        if self.devices[device].revision != self.kept.revision {
            self.look(device);
        }
        let sent = std::mem::take(&mut self.devices[device].body);
        if sent.trim().is_empty() {
            return None;
        }
        self.given_up.extend(self.there().difference(&words(&sent)).copied().collect::<Vec<_>>());
        self.logged.extend(words(&sent));
        self.apply(&DraftEffect::Spend(key()));
        self.devices[device].revision = self.kept.revision;
        Some(text(&sent, 1, 1))
    }

    fn act(&mut self, deed: &Deed) {
        match deed {
            Deed::Save(device) => self.save(*device),
            Deed::Look(device) => self.look(*device),
            Deed::Discard(device) => self.discard(*device),
            // A refused send is no event, and does nothing.
            Deed::Send(_, true) => {}
            Deed::Send(device, false) => drop(self.send(*device)),
            Deed::Hold(device) => {
                let sent = self.send(*device);
                self.held.extend(sent);
            }
            Deed::Cancel => {
                if !self.held.is_empty() {
                    let back = self.held.remove(0);
                    self.apply(&DraftEffect::GiveBack(key(), back));
                }
            }
            Deed::HandOver => {
                if let (Some(text), None) = (self.kept.text.clone(), &self.handed_over) {
                    self.logged.extend(words(&text.body));
                    self.handed_over = Some(text.clone());
                    self.apply(&DraftEffect::HandOver(key(), text.body));
                }
            }
            Deed::Acknowledge => {
                if let Some(text) = self.handed_over.take() {
                    self.apply(&DraftEffect::GiveBack(key(), text));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// Whatever two devices, the ticket and time do to each other: every word that was acked is in the draft, in the log, or was
    /// given up by somebody who had it before his eyes. And what comes back is there at once, behind what was there.
    #[test]
    fn no_word_is_ever_lost(deeds in prop::collection::vec(deed(), 0..60)) {
        let mut world = World::new();
        for deed in &deeds {
            let back = match deed {
                Deed::Cancel => world.held.first().cloned(),
                Deed::Acknowledge => world.handed_over.clone(),
                _ => None,
            };
            let there = world.there();
            world.act(deed);
            if let Some(back) = back {
                prop_assert!(world.there().is_superset(&words(&back.body)), "{:?} did not come back", back.body);
                prop_assert!(world.there().is_superset(&there), "something went as it came");
            }
            let known: Words = world.there().union(&world.logged).chain(&world.given_up).copied().collect();
            prop_assert!(known.is_superset(&world.acked), "lost {:?} by {deed:?}", world.acked.difference(&known));
        }
    }
}
