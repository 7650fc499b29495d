//! What the demo's tickets are about: stories with gaps, told each time with other words in them.

mod acme;
mod globex;

pub use acme::ACME;
pub use globex::GLOBEX;

use super::dice::Dice;

/// One kind of trouble, in several courses: what stands at the same place of each list belongs together, and shorter lists begin
/// again. `{thing}` and `{detail}` are filled in, the same ones throughout a ticket.
pub struct Story {
    pub category: &'static str,
    /// What it may be about.
    pub things: &'static [&'static str],
    /// Something that identifies the case: `#` becomes a digit.
    pub detail: &'static str,
    pub titles: &'static [&'static str],
    /// The customer's first words.
    pub openings: &'static [&'static str],
    /// The agent takes it up and asks back.
    pub questions: &'static [&'static str],
    /// The customer answers.
    pub answers: &'static [&'static str],
    /// For colleagues only.
    pub notes: &'static [&'static str],
    /// The agent settles it.
    pub endings: &'static [&'static str],
    /// Where it waits, if it waits: for workflows that know such statuses.
    pub waits_in: &'static str,
}

/// A story with its gaps filled.
pub struct Told {
    pub category: &'static str,
    pub title: String,
    pub opening: String,
    pub question: String,
    pub answer: String,
    pub note: String,
    pub ending: String,
    pub waits_in: &'static str,
}

const GREETINGS: &[&str] = &["Hi,", "Hello,", "Good morning,", "Hi there,", "Hello team,", "Dear support team,"];
const GOODBYES: &[&str] =
    &["Thanks,\n{me}", "Best regards,\n{me}", "Thank you!\n{me}", "Cheers, {me}", "— {me}", "Kind regards\n{me}"];
const AGENT_GREETINGS: &[&str] =
    &["Hi {you},", "Hello {you},", "Hi {you}, thanks for writing in.", "Hello {you}, thank you for letting us know."];
const AGENT_GOODBYES: &[&str] = &["Best,\n{me}", "Kind regards,\n{me}", "Best regards,\n{me}"];

impl Story {
    /// Tells it once more; `customer` and `agent` by their names.
    pub fn tell(&self, dice: &mut Dice, customer: &str, agent: &str) -> Told {
        let thing = dice.words(self.things);
        let detail: String = self.detail.chars().map(|c| if c == '#' { digit(dice) } else { c }).collect();
        let course = dice.below(self.openings.len() as u64);
        let words = |of: &[&'static str]| {
            let at = usize::try_from(course).unwrap_or(0) % of.len();
            with_capital(&of[at].replace("{thing}", thing).replace("{detail}", &detail))
        };
        let (you, me) = (first_name(customer), first_name(agent));
        Told {
            category: self.category,
            title: words(self.titles),
            opening: from_customer(dice, &words(self.openings), you),
            question: from_agent(dice, &words(self.questions), you, me),
            answer: words(self.answers),
            note: words(self.notes),
            ending: from_agent(dice, &words(self.endings), you, me),
            waits_in: self.waits_in,
        }
    }
}

fn from_customer(dice: &mut Dice, text: &str, me: &str) -> String {
    let (hello, goodbye) = (dice.words(GREETINGS), dice.words(GOODBYES).replace("{me}", me));
    match dice.below(4) {
        0 => text.to_owned(),
        1 => format!("{hello}\n\n{text}"),
        2 => format!("{text}\n\n{goodbye}"),
        _ => format!("{hello}\n\n{text}\n\n{goodbye}"),
    }
}

fn from_agent(dice: &mut Dice, text: &str, you: &str, me: &str) -> String {
    let (hello, goodbye) = (dice.words(AGENT_GREETINGS).replace("{you}", you), dice.words(AGENT_GOODBYES).replace("{me}", me));
    format!("{hello}\n\n{text}\n\n{goodbye}")
}

fn with_capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn digit(dice: &mut Dice) -> char {
    char::from(b'0' + u8::try_from(dice.between(1, 9)).expect("a digit"))
}

fn first_name(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}
