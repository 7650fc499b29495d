//! The counters: what they count as tables, and that changes and recounts in any order come to the truth as a property.
#![cfg(feature = "testing")]

use std::collections::{BTreeMap, VecDeque};

use hub_core::ids::{TicketId, UserId};
use hub_core::rules::counters::{Counted, Counters, Counting, Ledger, Moved, Queue, open_statuses};
use hub_core::rules::permissions::Role;
use hub_core::rules::workflow::Workflow;
use proptest::prelude::*;
use uuid::Uuid;

const ANA: u128 = 7;
const BO: u128 = 9;

fn ticket(number: u128) -> TicketId {
    TicketId::new(Uuid::from_u128(number))
}

fn user(number: u128) -> UserId {
    UserId::new(Uuid::from_u128(number))
}

fn queue(status: &str, assignee: Option<u128>) -> Queue {
    Queue { status: status.into(), assignee: assignee.map(user) }
}

fn moved(number: u128, from: Option<Queue>, to: Queue, seq: u64) -> Moved {
    Moved { ticket: ticket(number), from, to, seq }
}

fn open() -> Vec<String> {
    open_statuses(&Workflow::simple())
}

fn counted(queues: &[(Queue, u64)]) -> Ledger {
    Counting::default().done(&open(), Counted { queues: queues.to_vec(), recent: vec![] })
}

fn of(ledger: &Ledger, number: u128) -> (u64, u64, u64) {
    let Counters { open, unassigned, mine } = ledger.totals().of(Role::Agent, user(number)).expect("staff see counters");
    (open, unassigned, mine)
}

#[test]
fn what_is_neither_resolved_nor_closed_is_open() {
    assert_eq!(open(), ["open", "in_progress"]);
    let full = open_statuses(&Workflow::full());
    assert!(full.contains(&"pending_parts".into()) && full.contains(&"scheduled".into()));
    assert!(!full.contains(&"resolved".into()) && !full.contains(&"closed".into()));
}

#[test]
fn each_person_has_counters_of_their_own_and_customers_have_none() {
    let ledger = counted(&[
        (queue("open", None), 5),
        (queue("in_progress", Some(ANA)), 3),
        (queue("open", Some(BO)), 2),
        (queue("closed", None), 100),
    ]);
    assert_eq!(of(&ledger, ANA), (10, 5, 3));
    assert_eq!(of(&ledger, BO), (10, 5, 2));
    assert_eq!(of(&ledger, 99), (10, 5, 0));
    for role in Role::ALL {
        let sees = ledger.totals().of(role, user(ANA)).is_some();
        assert_eq!(sees, !matches!(role, Role::Customer | Role::PlatformAdmin), "{role:?}");
    }
}

#[test]
fn each_change_moves_a_ticket_from_one_counter_to_another() {
    let mut ledger = counted(&[(queue("open", None), 5), (queue("in_progress", Some(ANA)), 3)]);
    let steps: [(Moved, (u64, u64, u64)); 6] = [
        (moved(1, None, queue("open", None), 1), (9, 6, 3)),
        (moved(1, Some(queue("open", None)), queue("open", Some(ANA)), 2), (9, 5, 4)),
        (moved(1, Some(queue("open", Some(ANA))), queue("open", Some(ANA)), 3), (9, 5, 4)),
        (moved(1, Some(queue("open", Some(ANA))), queue("resolved", Some(ANA)), 4), (8, 5, 3)),
        (moved(1, Some(queue("resolved", Some(ANA))), queue("open", Some(ANA)), 5), (9, 5, 4)),
        (moved(2, Some(queue("in_progress", Some(ANA))), queue("in_progress", Some(BO)), 9), (9, 5, 3)),
    ];
    for (step, expected) in steps {
        ledger.carry(&step);
        assert_eq!(of(&ledger, ANA), expected, "{step:?}");
        ledger.carry(&step);
        assert_eq!(of(&ledger, ANA), expected, "told twice: {step:?}");
    }
}

#[test]
fn a_change_that_was_lost_is_made_good_by_the_next_of_the_same_ticket() {
    let mut ledger = counted(&[]);
    ledger.carry(&moved(1, None, queue("open", None), 1));
    // Event 2 gave it to Ana; nobody told.
    ledger.carry(&moved(1, Some(queue("open", Some(ANA))), queue("open", Some(BO)), 3));
    assert_eq!(of(&ledger, ANA), (1, 0, 0));
    assert_eq!(of(&ledger, BO), (1, 0, 1));
}

#[test]
fn what_a_count_has_seen_is_not_counted_again_however_late_it_is_told() {
    let mut counting = Counting::default();
    counting.keep(moved(1, None, queue("open", None), 1));
    counting.keep(moved(2, Some(queue("open", None)), queue("closed", None), 8));
    // The count saw the creation of 1, and 2 as it was before.
    let found = Counted { queues: vec![(queue("open", None), 2)], recent: vec![(ticket(1), queue("open", None), 1)] };
    let mut ledger = counting.done(&open(), found);
    assert_eq!(of(&ledger, ANA), (1, 1, 0));
    ledger.carry(&moved(1, None, queue("open", None), 1));
    assert_eq!(of(&ledger, ANA), (1, 1, 0));
}

#[test]
fn a_recount_tells_what_nobody_told_and_calls_nothing_wrong_that_is_on_its_way() {
    let before = counted(&[(queue("open", None), 5)]);
    let corrected = |found: &Counted| before.is_corrected_by(found, &Counting::default().done(&open(), found.clone()));
    assert!(!corrected(&Counted { queues: vec![(queue("open", None), 5)], recent: vec![] }));
    assert!(corrected(&Counted { queues: vec![(queue("open", None), 6)], recent: vec![] }));
    let new = (ticket(1), queue("open", None), 1);
    assert!(!corrected(&Counted { queues: vec![(queue("open", None), 6)], recent: vec![new.clone()] }));
    assert!(corrected(&Counted { queues: vec![(queue("open", None), 8)], recent: vec![new] }));
}

/// What happens to a workspace while its counters are carried along.
#[derive(Clone, Debug)]
enum Step {
    /// This hub changes a ticket, and will tell.
    Change {
        ticket: usize,
        status: usize,
        assignee: usize,
    },
    /// The oldest change that was not told yet is told.
    Tell,
    /// A count begins, looks, and its answer comes; what `Tell`s come in between is decided by the other steps.
    Begin,
    Look,
    Answer,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..6_usize, 0..4_usize, 0..3_usize).prop_map(|(ticket, status, assignee)| Step::Change { ticket, status, assignee }),
        6 => Just(Step::Tell),
        1 => Just(Step::Begin),
        1 => Just(Step::Look),
        1 => Just(Step::Answer),
    ]
}

/// The truth, what was not told yet, and what the counters make of it.
struct World {
    tickets: BTreeMap<usize, (Queue, u64)>,
    /// When each ticket was changed last, in steps.
    changed: BTreeMap<usize, usize>,
    untold: VecDeque<(usize, Moved)>,
    ledger: Ledger,
    /// A count under way: from when on it tells recent changes, and what it found once it has looked.
    counting: Option<(usize, Counting, Option<Counted>)>,
}

impl World {
    fn new() -> Self {
        let (tickets, changed, untold) = (BTreeMap::new(), BTreeMap::new(), VecDeque::new());
        Self { tickets, changed, untold, ledger: counted(&[]), counting: None }
    }

    fn change(&mut self, now: usize, number: usize, to: Queue) {
        let from = self.tickets.get(&number).cloned();
        let seq = from.as_ref().map_or(1, |(_, seq)| seq + 1);
        self.tickets.insert(number, (to.clone(), seq));
        self.changed.insert(number, now);
        self.untold.push_back((now, moved(number as u128, from.map(|(queue, _)| queue), to, seq)));
    }

    fn tell(&mut self) {
        let Some((_, moved)) = self.untold.pop_front() else { return };
        if let Some((_, counting, _)) = &mut self.counting {
            counting.keep(moved.clone());
        }
        self.ledger.carry(&moved);
    }

    fn begin(&mut self, now: usize) {
        // As far back as anything that is still on its way.
        let since = self.untold.front().map_or(now, |(at, _)| *at);
        self.counting.get_or_insert_with(|| (since, Counting::default(), None));
    }

    fn look(&mut self) {
        let mut queues: BTreeMap<Queue, u64> = BTreeMap::new();
        for (queue, _) in self.tickets.values() {
            *queues.entry(queue.clone()).or_insert(0) += 1;
        }
        if let Some((since, _, found @ None)) = &mut self.counting {
            let recent = self.tickets.iter().filter(|(number, _)| self.changed[number] >= *since);
            let recent = recent.map(|(number, (queue, seq))| (ticket(*number as u128), queue.clone(), *seq)).collect();
            *found = Some(Counted { queues: queues.into_iter().collect(), recent });
        }
    }

    /// Whether the recount calls anything wrong.
    fn answer(&mut self) -> bool {
        self.look();
        let Some((_, counting, Some(found))) = self.counting.take() else { return false };
        let ledger = counting.done(&open(), found.clone());
        let corrected = self.ledger.is_corrected_by(&found, &ledger);
        self.ledger = ledger;
        corrected
    }

    fn truth(&self, person: u128) -> (u64, u64, u64) {
        let open: Vec<&Queue> = self.tickets.values().map(|(queue, _)| queue).filter(|q| open().contains(&q.status)).collect();
        let count = |is: &dyn Fn(&Queue) -> bool| open.iter().filter(|queue| is(queue)).count() as u64;
        (count(&|_| true), count(&|queue| queue.assignee.is_none()), count(&|queue| queue.assignee == Some(user(person))))
    }
}

proptest! {
    /// However changes, tellings and recounts interleave: when all is told the counters are the truth, and no recount calls
    /// wrong what was only on its way.
    #[test]
    fn changes_and_recounts_come_to_the_truth(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        for (now, step) in steps.into_iter().enumerate() {
            match step {
                Step::Change { ticket, status, assignee } => {
                    let status = ["open", "in_progress", "resolved", "closed"][status];
                    world.change(now, ticket, queue(status, [None, Some(ANA), Some(BO)][assignee]));
                }
                Step::Tell => world.tell(),
                Step::Begin => world.begin(now),
                Step::Look => world.look(),
                Step::Answer => prop_assert!(!world.answer()),
            }
        }
        while !world.untold.is_empty() {
            world.tell();
        }
        prop_assert!(!world.answer());
        for person in [ANA, BO] {
            prop_assert_eq!(of(&world.ledger, person), world.truth(person));
        }
    }

    /// Whatever was lost or written elsewhere, the next recount puts right.
    #[test]
    fn a_recount_puts_everything_right(
        changes in prop::collection::vec((0..6_usize, 0..4_usize, 0..3_usize, any::<bool>()), 1..60)
    ) {
        let mut world = World::new();
        for (now, (number, status, assignee, is_lost)) in changes.into_iter().enumerate() {
            let status = ["open", "in_progress", "resolved", "closed"][status];
            world.change(now, number, queue(status, [None, Some(ANA), Some(BO)][assignee]));
            if is_lost {
                world.untold.pop_front();
            }
            world.tell();
        }
        world.begin(usize::MAX);
        world.answer();
        for person in [ANA, BO] {
            prop_assert_eq!(of(&world.ledger, person), world.truth(person));
        }
    }
}
