//! What was found about one thing, in words, and the same for programs.

use std::fmt;

use serde_json::{Value, json};

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which thing, in a word or two.
    pub about: &'static str,
    /// How it is.
    pub verdict: Verdict,
}

/// How a thing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Fine(String),
    /// The hub serves, but somebody may regret it.
    Doubtful(Trouble),
    /// The hub does not serve, or should not.
    Wrong(Trouble),
}

/// Something to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Trouble {
    pub what: String,
    pub remedy: String,
}

impl Finding {
    pub(super) fn fine(about: &'static str, what: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Fine(what.into()) }
    }

    pub(super) fn doubtful(about: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Doubtful(Trouble { what: what.into(), remedy: remedy.into() }) }
    }

    pub(super) fn wrong(about: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Wrong(Trouble { what: what.into(), remedy: remedy.into() }) }
    }

    /// `about`, `verdict` (`ok`, `warn`, `wrong`), `what`, and `remedy` where there is something to mend.
    pub fn as_json(&self) -> Value {
        match &self.verdict {
            Verdict::Fine(what) => json!({"about": self.about, "verdict": "ok", "what": what}),
            Verdict::Doubtful(Trouble { what, remedy }) => {
                json!({"about": self.about, "verdict": "warn", "what": what, "remedy": remedy})
            }
            Verdict::Wrong(Trouble { what, remedy }) => {
                json!({"about": self.about, "verdict": "wrong", "what": what, "remedy": remedy})
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, what, remedy) = match &self.verdict {
            Verdict::Fine(what) => ("ok   ", what, None),
            Verdict::Doubtful(Trouble { what, remedy }) => ("warn ", what, Some(remedy)),
            Verdict::Wrong(Trouble { what, remedy }) => ("WRONG", what, Some(remedy)),
        };
        write!(f, "{mark}  {}: {what}", self.about)?;
        remedy.map_or(Ok(()), |remedy| write!(f, "\n       to mend it: {remedy}"))
    }
}

/// The verdict in a word.
#[cfg(test)]
pub fn mark(finding: &Finding) -> &'static str {
    match finding.verdict {
        Verdict::Fine(_) => "ok",
        Verdict::Doubtful(_) => "warn",
        Verdict::Wrong(_) => "wrong",
    }
}
