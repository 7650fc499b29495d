//! One ticket of the demo, from its first words to where it stands now: at most eight events, decided by the rules themselves.

use std::time::Duration;

use anyhow::{Result, anyhow};
use hub_core::ids::{CommandKey, TeamId, TicketId, TicketKey};
use hub_core::ports::Append;
use hub_core::rules::intent::{Asker, Circumstances, Intent, Step};
use hub_core::rules::ticket::TicketState;
use hub_core::rules::workspace::WorkspaceFacts;
use hub_core::time::UnixMs;
use hub_core::wire::{Audience, FieldPatches, Patch, Priority, Source};

use super::cast::{Troupe, derived};
use super::dice::Dice;
use super::stories::Told;

/// How far back the demo goes.
const WEEKS: u64 = 5;
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Events of one ticket.
const MAX_EVENTS: usize = 8;

/// How far a ticket got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nobody has looked yet.
    Untouched,
    /// Somebody has it.
    Taken,
    /// An agent asked back, or waits for something.
    Waiting,
    /// The customer answered last.
    Answered,
    Resolved,
    Closed,
}

/// Ticket number `at + 1` of `of`, oldest first.
///
/// # Errors
/// When the rules refuse the script: the script is wrong.
pub fn ticket(troupe: &Troupe, at: u64, of: u64, now: UnixMs) -> Result<Append> {
    let mut dice = Dice::of(troupe.slug, at);
    let age = age_ms(at, of, &mut dice);
    let stage = stage_at(age, &mut dice);
    let (team_name, members) = dice.pick(troupe.teams);
    let email = dice.words(members);
    let agents = troupe.agents();
    let agent = agents.iter().find(|agent| agent.user == troupe.user_id(email)).cloned();
    let agent = agent.ok_or_else(|| anyhow!("{email} works on no tickets"))?;
    let customer = dice.pick(&troupe.customers()).clone();
    let told = dice.pick(troupe.stories).tell(&mut dice, &customer.name, &agent.name);
    let team = troupe.team_id(team_name);

    let acts = acts(stage, &told, &mut dice, troupe, &customer, &agent, team);
    let times = times(acts.len(), age, now, &mut dice);
    let opening_key = key(troupe, at, 0);
    let ticket = TicketKey { workspace: troupe.id(), ticket: TicketId::derived(troupe.id(), customer.user, opening_key) };
    let mut play = Play { ticket, facts: troupe.facts(), append: None };
    let opening = Step::Create {
        title: told.title.clone(),
        description: told.opening.clone(),
        source: *dice.pick(&[Source::Web, Source::Web, Source::Email, Source::Widget]),
        priority: *dice.pick(&[
            Priority::P3,
            Priority::P3,
            Priority::P3,
            Priority::P4,
            Priority::P2,
            Priority::P2,
            Priority::P1,
        ]),
        number: at + 1,
    };
    play.act(Intent { key: opening_key, by: customer, steps: vec![opening] }, times[0])?;
    for (number, ((by, act), time)) in acts.into_iter().zip(&times[1..]).enumerate() {
        play.act(Intent { key: key(troupe, at, number as u64 + 1), by, steps: act }, *time)?;
    }
    play.append.ok_or_else(|| anyhow!("a ticket without events"))
}

fn key(troupe: &Troupe, ticket: u64, number: u64) -> CommandKey {
    CommandKey::new(derived(&["key", troupe.slug, &ticket.to_string(), &number.to_string()]))
}

/// Old ones are far apart, new ones close together.
fn age_ms(at: u64, of: u64, dice: &mut Dice) -> u64 {
    let left = (of - at) * 1_000 / of;
    let span = WEEKS * 7 * DAY;
    span / 1_000_000 * left * left + dice.between(2 * MINUTE, 40 * MINUTE)
}

fn stage_at(age: u64, dice: &mut Dice) -> Stage {
    use Stage::{Answered, Closed, Resolved, Taken, Untouched, Waiting};
    let choices: &[(u64, Stage)] = match age / HOUR {
        0..8 => &[(55, Untouched), (30, Taken), (15, Waiting)],
        8..72 => &[(15, Untouched), (20, Taken), (30, Waiting), (15, Answered), (20, Resolved)],
        72..240 => &[(5, Taken), (20, Waiting), (10, Answered), (45, Resolved), (20, Closed)],
        _ => &[(5, Waiting), (3, Answered), (17, Resolved), (75, Closed)],
    };
    let mut rest = dice.below(100);
    for (share, stage) in choices {
        if rest < *share {
            return *stage;
        }
        rest -= share;
    }
    Closed
}

type Act = (Asker, Vec<Step>);

/// Who does what after the opening.
fn acts(
    stage: Stage,
    told: &Told,
    dice: &mut Dice,
    troupe: &Troupe,
    customer: &Asker,
    agent: &Asker,
    team: TeamId,
) -> Vec<Act> {
    let is_full = troupe.workflow.status("assigned").is_some();
    let take = Step::Assign { assignee_id: Patch::Set(agent.user), team_id: Patch::Set(team) };
    let sort = update(FieldPatches { category_id: Patch::Set(troupe.category_id(told.category)), ..FieldPatches::default() });
    let question = vec![say(&told.question), become_("in_progress")];
    let answer: Act = (customer.clone(), vec![say(&told.answer)]);
    let ending = vec![say(&told.ending), become_("resolved")];
    let by_agent = |steps: Vec<Step>| (agent.clone(), steps);
    let mut acts = match stage {
        Stage::Untouched if dice.chance(20) => {
            vec![(customer.clone(), vec![say("Is there any news on this? It is rather urgent for us.")])]
        }
        Stage::Untouched => vec![],
        Stage::Taken if is_full => vec![by_agent(vec![take, become_(if dice.chance(40) { "accepted" } else { "assigned" })])],
        Stage::Taken => vec![by_agent(vec![take])],
        Stage::Waiting if is_full => vec![
            by_agent(vec![take]),
            by_agent(question),
            by_agent(vec![Step::ChangeStatus {
                status: told.waits_in.into(),
                based_on: None,
                note: Some(told.note.clone()),
                force: false,
            }]),
        ],
        Stage::Waiting => vec![by_agent(vec![take]), by_agent(question)],
        Stage::Answered => vec![by_agent(vec![take]), by_agent(question), answer],
        Stage::Resolved => vec![by_agent(vec![take]), by_agent(question), answer, by_agent(ending)],
        Stage::Closed => {
            let reason = dice.chance(30).then(|| "Nothing left to do here.".to_owned());
            let close = Step::ChangeStatus { status: "closed".into(), based_on: None, note: reason, force: false };
            vec![by_agent(vec![take]), by_agent(question), answer, by_agent(ending), by_agent(vec![close])]
        }
    };
    let events = |acts: &[Act]| 1 + acts.iter().map(|(_, steps)| steps.len()).sum::<usize>();
    // a category goes with the taking of it, a note before what comes last
    if let Some((_, steps)) = acts.iter_mut().find(|(by, _)| by.user == agent.user).filter(|_| dice.chance(70)) {
        steps.push(sort);
    }
    if events(&acts) < MAX_EVENTS && acts.len() > 1 && dice.chance(60) {
        let note = Step::PostReply {
            body: told.note.clone(),
            audience: Audience::Internal,
            based_on: None,
            force: false,
            mentions: vec![],
        };
        acts.insert(acts.len() - 1, by_agent(vec![note]));
    }
    if events(&acts) > MAX_EVENTS {
        acts.iter_mut().for_each(|(_, steps)| steps.retain(|step| !matches!(step, Step::UpdateFields { .. })));
    }
    acts
}

fn say(body: &str) -> Step {
    Step::PostReply { body: body.to_owned(), audience: Audience::Public, based_on: None, force: false, mentions: vec![] }
}

fn become_(status: &str) -> Step {
    Step::ChangeStatus { status: status.to_owned(), based_on: None, note: None, force: false }
}

fn update(patches: FieldPatches) -> Step {
    Step::UpdateFields { based_on: 0, patches }
}

/// When each act happens, the opening first: minutes to hours apart, all of it before now.
fn times(acts: usize, age: u64, now: UnixMs, dice: &mut Dice) -> Vec<UnixMs> {
    let gaps: Vec<u64> = (0..acts).map(|_| dice.between(4 * MINUTE, 9 * HOUR)).collect();
    let (all, room) = (gaps.iter().sum::<u64>().max(1), age * 9 / 10);
    let opened = now.0.saturating_sub_unsigned(age);
    let mut times = vec![UnixMs(opened)];
    let mut gone = 0;
    for gap in gaps {
        gone +=
            if all > room { u64::try_from(u128::from(gap) * u128::from(room) / u128::from(all)).unwrap_or(gap) } else { gap };
        times.push(UnixMs(opened) + Duration::from_millis(gone));
    }
    times
}

/// A ticket while it is being written down.
struct Play {
    ticket: TicketKey,
    facts: WorkspaceFacts,
    append: Option<Append>,
}

impl Play {
    /// Lets an intent happen, by the rules. Whoever acts has seen everything.
    fn act(&mut self, mut intent: Intent, at: UnixMs) -> Result<()> {
        let state = self.append.as_ref().map(|append| &*append.state);
        intent.steps.iter_mut().for_each(|step| has_seen_everything(step, state, &intent.by));
        let decided = intent
            .decide(state, Circumstances::plain(&self.facts, at))
            .map_err(|refusal| anyhow!("{:?}: {refusal:?}", intent.steps))?;
        let next = Append::of_intent(self.ticket, state, &intent, decided, at, rand::random);
        let next = next.ok_or_else(|| anyhow!("the first intent made no ticket"))?;
        match &mut self.append {
            None => self.append = Some(next),
            Some(append) => {
                append.events.extend(next.events);
                append.state = next.state;
            }
        }
        Ok(())
    }
}

fn has_seen_everything(step: &mut Step, state: Option<&TicketState>, by: &Asker) {
    use hub_core::rules::stale::Numbering;
    let Some(state) = state else { return };
    let head = match by.numbering() {
        Numbering::Ticket => state.seq,
        Numbering::Thread => state.thread_seq,
    };
    match step {
        Step::PostReply { based_on, .. } | Step::ChangeStatus { based_on, .. } => *based_on = Some(head),
        Step::UpdateFields { based_on, .. } => *based_on = head,
        Step::HoldReply { .. }
        | Step::CancelHeld { .. }
        | Step::HandOver { .. }
        | Step::AcknowledgeHandoff
        | Step::ChangeTags { .. }
        | Step::Watch { .. }
        | Step::TakeClaim { .. }
        | Step::ReleaseClaim { .. }
        | Step::ReleaseHeld { .. }
        | Step::ExpireClaim { .. }
        | Step::Create { .. }
        | Step::Assign { .. } => {}
    }
}
