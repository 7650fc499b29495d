//! What the demo's tickets are about: stories with gaps, told each time with other words in them.

mod acme;
mod globex;

pub use acme::ACME;
pub use globex::GLOBEX;

use super::dice::Dice;

/// One kind of trouble. Each list holds different words for the same thing; `{thing}` and `{detail}` are filled in, the same ones
/// throughout a ticket.
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
        let fill = |text: &str| text.replace("{thing}", thing).replace("{detail}", &detail);
        let (you, me) = (first_name(customer), first_name(agent));
        let from_customer = |dice: &mut Dice, words: &[&'static str]| {
            let text = dice.words(words);
            let (hello, goodbye) = (dice.words(GREETINGS), dice.words(GOODBYES).replace("{me}", you));
            match dice.below(4) {
                0 => fill(text),
                1 => format!("{hello}\n\n{}", fill(text)),
                2 => format!("{}\n\n{goodbye}", fill(text)),
                _ => format!("{hello}\n\n{}\n\n{goodbye}", fill(text)),
            }
        };
        let from_agent = |dice: &mut Dice, words: &[&'static str]| {
            let text = dice.words(words);
            let (hello, goodbye) =
                (dice.words(AGENT_GREETINGS).replace("{you}", you), dice.words(AGENT_GOODBYES).replace("{me}", me));
            format!("{hello}\n\n{}\n\n{goodbye}", fill(text))
        };
        Told {
            category: self.category,
            title: fill(dice.words(self.titles)),
            opening: from_customer(dice, self.openings),
            question: from_agent(dice, self.questions),
            answer: fill(dice.words(self.answers)),
            note: fill(dice.words(self.notes)),
            ending: from_agent(dice, self.endings),
            waits_in: self.waits_in,
        }
    }
}

fn digit(dice: &mut Dice) -> char {
    char::from(b'0' + u8::try_from(dice.between(1, 9)).expect("a digit"))
}

fn first_name(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}
