//! Who is on a ticket: tables for what is shown of whom, and a property against a recomputation that knows the whole past.

use std::collections::BTreeMap;
use std::time::Duration;

use hub_core::ids::UserId;
use hub_core::rules::permissions::Act;
use hub_core::rules::presence::{COMPOSING_FOR, Doing, Full, LOST_FOR, MAX_CONNECTIONS, Person, Room, Said};
use hub_core::time::UnixMs;
use hub_core::wire::{Activity, ActorKind, Audience, Presence, Support};
use proptest::prelude::*;
use uuid::Uuid;

const ANA: u128 = 7;
const BO: u128 = 9;
const CLEO: u128 = 8;
const START: UnixMs = UnixMs(1_700_000_000_000);

fn at(ms: u64) -> UnixMs {
    START + Duration::from_millis(ms)
}

fn person(id: u128) -> Person {
    let kind = if id == CLEO { ActorKind::Customer } else { ActorKind::Agent };
    Person { id: UserId::new(Uuid::from_u128(id)), name: format!("Person {id}"), kind }
}

fn said(doing: Doing) -> Said {
    Said { doing, field: None }
}

fn say(room: &mut Room<u32>, connection: u32, id: u128, doing: Doing, ms: u64) {
    room.announce(connection, person(id), said(doing), at(ms)).expect("room");
}

/// `7 composing public 0` and so on: who, what, since which millisecond.
fn words(people: &[Presence]) -> Vec<String> {
    let one = |p: &Presence| {
        let audience = match p.audience {
            Some(Audience::Public) => " public",
            Some(Audience::Internal) => " internal",
            None => "",
        };
        let state = match p.state {
            Activity::Idle => "idle",
            Activity::Viewing => "viewing",
            Activity::Composing => "composing",
        };
        let field = p.field.as_ref().map_or(String::new(), |field| format!(" [{field}]"));
        let lost = if p.lost { " lost" } else { "" };
        format!("{} {state}{audience}{field} {}{lost}", p.id.uuid().as_u128(), (p.since - START).as_millis())
    };
    people.iter().map(one).collect()
}

#[test]
fn of_several_tabs_the_most_telling_one_is_shown_and_closing_one_keeps_the_others() {
    let mut room = Room::default();
    say(&mut room, 1, ANA, Doing::Viewing, 0);
    say(&mut room, 2, ANA, Doing::Idle, 10);
    assert_eq!(words(&room.people()), ["7 viewing 0"]);
    say(&mut room, 3, ANA, Doing::ComposingNote, 20);
    assert_eq!(words(&room.people()), ["7 composing internal 20"]);
    say(&mut room, 2, ANA, Doing::ComposingReply, 30);
    assert_eq!(words(&room.people()), ["7 composing public 30"]);
    room.leave(2);
    assert_eq!(words(&room.people()), ["7 composing internal 20"]);
    room.leave(3);
    room.leave(3);
    assert_eq!(words(&room.people()), ["7 viewing 0"]);
    room.leave(1);
    assert!(room.people().is_empty() && room.is_empty());
}

#[test]
fn a_lost_connection_is_marked_and_gone_after_a_while_and_an_open_one_speaks_louder() {
    let mut room = Room::default();
    say(&mut room, 1, ANA, Doing::ComposingReply, 0);
    room.lose(1, at(1_000));
    assert_eq!(words(&room.people()), ["7 composing public 0 lost"]);
    assert_eq!(room.support(), None, "a customer is not told of somebody who is gone");
    // The page comes back: open, whatever it does.
    say(&mut room, 2, ANA, Doing::Idle, 2_000);
    assert!(room.has(person(ANA).id));
    assert_eq!(words(&room.people()), ["7 idle 2000"]);
    room.leave(2);
    assert_eq!(words(&room.people()), ["7 composing public 0 lost"]);
    // Losing it again does not make it stay longer.
    room.lose(1, at(4_000));
    assert_eq!(room.deadline(), Some(at(1_000) + LOST_FOR));
    room.tick(at(5_999));
    assert!(!room.has(person(ANA).id) && !room.is_empty());
    room.tick(at(6_000));
    assert!(room.is_empty());
    assert_eq!(room.deadline(), None);
}

#[test]
fn composing_that_is_not_said_again_is_looking() {
    let mut room = Room::default();
    say(&mut room, 1, ANA, Doing::ComposingReply, 0);
    say(&mut room, 1, ANA, Doing::ComposingReply, 5_000);
    assert_eq!(words(&room.people()), ["7 composing public 0"]);
    assert_eq!(room.deadline(), Some(at(5_000) + COMPOSING_FOR));
    room.tick(at(12_999));
    assert_eq!(room.support(), Some(Support::Composing));
    room.tick(at(20_000));
    assert_eq!(words(&room.people()), ["7 viewing 13000"]);
    assert_eq!((room.support(), room.deadline()), (None, None));
}

#[test]
fn typing_in_a_note_never_reaches_the_customer_and_typing_of_the_customer_reaches_colleagues() {
    let mut room = Room::default();
    for (n, doing) in [Doing::Idle, Doing::Viewing, Doing::ComposingNote].into_iter().enumerate() {
        say(&mut room, n as u32, ANA + n as u128 * 100, doing, 0);
        assert_eq!(room.support(), None, "{doing:?}");
    }
    say(&mut room, 8, CLEO, Doing::ComposingReply, 0);
    assert_eq!(room.support(), None, "customers are not told of themselves");
    assert_eq!(words(&room.people())[1], "8 composing public 0");
    assert_eq!(room.people()[1].kind, ActorKind::Customer);
    say(&mut room, 9, BO, Doing::ComposingReply, 0);
    assert_eq!(room.support(), Some(Support::Composing));
}

#[test]
fn a_field_that_is_open_in_another_tab_is_shown_too() {
    let mut room = Room::default();
    let with = |doing, field: &str| Said { doing, field: Some(field.into()) };
    room.announce(1, person(ANA), with(Doing::Viewing, "priority"), at(0)).expect("room");
    say(&mut room, 2, ANA, Doing::ComposingReply, 1);
    assert_eq!(words(&room.people()), ["7 composing public [priority] 1"]);
    room.announce(2, person(ANA), with(Doing::ComposingReply, "title"), at(2)).expect("room");
    assert_eq!(words(&room.people()), ["7 composing public [title] 1"]);
    room.lose(1, at(3));
    say(&mut room, 2, ANA, Doing::ComposingReply, 4);
    assert_eq!(words(&room.people()), ["7 composing public 1"], "a lost tab has nothing open");
}

#[test]
fn what_is_said_takes_the_rights_to_do_it() {
    let acts = |doing, field: Option<&str>| Said { doing, field: field.map(str::to_owned) }.acts().collect::<Vec<_>>();
    assert_eq!(acts(Doing::Idle, None), [Act::Read]);
    assert_eq!(acts(Doing::Viewing, Some("title")), [Act::Read, Act::UpdateFields]);
    assert_eq!(acts(Doing::ComposingNote, None), [Act::Read, Act::WriteNote]);
    assert_eq!(acts(Doing::ComposingReply, None), [Act::Read, Act::ReplyPublicly]);
    for (state, audience, doing) in [
        (Activity::Composing, None, Doing::ComposingReply),
        (Activity::Composing, Some(Audience::Internal), Doing::ComposingNote),
        (Activity::Viewing, Some(Audience::Internal), Doing::Viewing),
        (Activity::Idle, Some(Audience::Public), Doing::Idle),
    ] {
        assert_eq!(Doing::of(state, audience), doing);
    }
}

#[test]
fn one_connection_more_than_may_be_finds_no_room_until_another_goes() {
    let mut room = Room::default();
    for n in 0..MAX_CONNECTIONS as u32 {
        say(&mut room, n, u128::from(n), Doing::Viewing, 0);
    }
    assert_eq!(room.announce(9_999, person(ANA), said(Doing::Viewing), at(1)), Err(Full));
    // Who is here may go on.
    say(&mut room, 3, 3, Doing::ComposingReply, 1);
    room.lose(4, at(1));
    assert_eq!(room.announce(9_999, person(ANA), said(Doing::Viewing), at(2)), Err(Full));
    say(&mut room, 9_999, ANA, Doing::Viewing, 1 + LOST_FOR.as_millis() as u64);
}

/// Something that happens to a connection.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Say(Doing),
    Leave,
    Lose,
    /// Nothing but time.
    Tick,
}

fn deed() -> impl Strategy<Value = Deed> {
    let doing = prop::sample::select(vec![Doing::Idle, Doing::Viewing, Doing::ComposingNote, Doing::ComposingReply]);
    prop_oneof![5 => doing.prop_map(Deed::Say), 1 => Just(Deed::Leave), 2 => Just(Deed::Lose), 2 => Just(Deed::Tick)]
}

/// What became of one connection, from its whole past: what it does, since when, whether it is lost; none where it is gone.
fn recomputed(past: &[(u64, Deed)], now: u64) -> Option<(Doing, u64, bool)> {
    let last_leave = past.iter().rposition(|(_, deed)| matches!(deed, Deed::Leave)).map_or(0, |at| at + 1);
    let mut here: Option<(Doing, u64, u64)> = None;
    let mut lost: Option<u64> = None;
    let quiet = |here: (Doing, u64, u64), until: u64| {
        let (doing, _, said_at) = here;
        let end = said_at + COMPOSING_FOR.as_millis() as u64;
        let composing = matches!(doing, Doing::ComposingNote | Doing::ComposingReply);
        if composing && until >= end { (Doing::Viewing, end, said_at) } else { here }
    };
    let gone = |lost: Option<u64>, until: u64| lost.is_some_and(|at| until >= at + LOST_FOR.as_millis() as u64);
    for (ms, deed) in &past[last_leave..] {
        if gone(lost, *ms) {
            (here, lost) = (None, None);
        }
        here = here.map(|here| quiet(here, *ms));
        match deed {
            Deed::Say(doing) => {
                let since = here.filter(|(before, ..)| before == doing).map_or(*ms, |(_, since, _)| since);
                (here, lost) = (Some((*doing, since, *ms)), None);
            }
            Deed::Lose => lost = here.and(lost.or(Some(*ms))),
            Deed::Leave | Deed::Tick => {}
        }
    }
    if gone(lost, now) {
        None
    } else {
        here.map(|here| quiet(here, now)).map(|(doing, since, _)| (doing, since, lost.is_some()))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Whatever joins, speaks, leaves, breaks and comes back in whatever order: the room shows what its whole past amounts to,
    /// however often it was looked at in between, and after its deadline nothing that time alone does is outstanding.
    #[test]
    fn the_room_is_what_its_past_amounts_to(
        deeds in prop::collection::vec((0_u64..4_000, 0_u32..6, deed()), 1..60),
        rest in 0_u64..12_000,
    ) {
        let people = [ANA, ANA, BO, BO, CLEO, CLEO];
        let mut room = Room::default();
        let mut past: BTreeMap<u32, Vec<(u64, Deed)>> = BTreeMap::new();
        let mut now = 0;
        for (pause, connection, deed) in deeds {
            now += pause;
            match deed {
                Deed::Say(doing) => say(&mut room, connection, people[connection as usize], doing, now),
                Deed::Leave => room.leave(connection),
                Deed::Lose => room.lose(connection, at(now)),
                Deed::Tick => room.tick(at(now)),
            }
            past.entry(connection).or_default().push((now, deed));
        }
        now += rest;
        room.tick(at(now));
        let mut naive: BTreeMap<u128, Vec<(Doing, u64, bool)>> = BTreeMap::new();
        for (connection, past) in &past {
            if let Some(shown) = recomputed(past, now) {
                naive.entry(people[*connection as usize]).or_default().push(shown);
            }
        }
        let shown: Vec<_> = naive.iter().map(|(id, connections)| {
            let open = connections.iter().any(|(.., lost)| !lost);
            let counted: Vec<_> = connections.iter().filter(|(.., lost)| *lost != open).collect();
            let most = counted.iter().map(|(doing, ..)| *doing).max().expect("one at least");
            let since = counted.iter().filter(|(doing, ..)| *doing == most).map(|(_, since, _)| *since).min().expect("that one");
            let (state, audience) = most.words();
            Presence {
                id: person(*id).id, name: person(*id).name, kind: person(*id).kind,
                state, audience, field: None, since: at(since), lost: !open,
            }
        }).collect();
        prop_assert_eq!(room.people(), shown.clone());
        let writes = |p: &Presence| p.kind == ActorKind::Agent && !p.lost && p.audience == Some(Audience::Public);
        prop_assert_eq!(room.support().is_some(), shown.iter().any(writes));
        prop_assert_eq!(room.is_empty(), shown.is_empty());
        if let Some(deadline) = room.deadline() {
            prop_assert!(deadline > at(now));
            let before = room.people();
            room.tick(UnixMs(deadline.0 - 1));
            prop_assert_eq!(room.people(), before);
        }
    }
}
