//! Taking a client's map apart field by field, so that a refusal can say which field is wrong and how.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::{MAX_INTEGER, Patch};
use crate::time::UnixMs;

/// What was wrong: field name → complaint.
pub type FieldErrors = BTreeMap<String, Complaint>;

/// What is wrong with a field, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// Missing, of another type, or of no allowed value.
    Wrong(String),
    /// Right, but over its limit.
    TooLarge(String),
}

impl Complaint {
    /// The words.
    pub fn into_words(self) -> String {
        match self {
            Self::Wrong(words) | Self::TooLarge(words) => words,
        }
    }
}

impl From<String> for Complaint {
    fn from(words: String) -> Self {
        Self::Wrong(words)
    }
}

impl From<&str> for Complaint {
    fn from(words: &str) -> Self {
        Self::Wrong(words.to_owned())
    }
}

/// A map being read. Every accessor notes its complaint; [`Fields::finish`] tells them all together.
pub struct Fields<'a> {
    map: &'a Map<String, Value>,
    known: Vec<&'static str>,
    errors: FieldErrors,
}

impl<'a> Fields<'a> {
    /// Begins to read `map`.
    pub const fn new(map: &'a Map<String, Value>) -> Self {
        Self { map, known: Vec::new(), errors: BTreeMap::new() }
    }

    /// Notes a complaint of the caller's own.
    pub fn complain(&mut self, name: &str, reason: impl Into<Complaint>) {
        self.errors.entry(name.to_owned()).or_insert_with(|| reason.into());
    }

    fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.map.get(name)
    }

    /// A field that must be there; `None` after noting a complaint.
    pub fn required<T, E: Into<Complaint>>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Option<T> {
        match self.get(name) {
            None => {
                self.complain(name, "is missing");
                None
            }
            Some(value) => self.take(name, value, read),
        }
    }

    /// A field that may be absent or null.
    pub fn optional<T, E: Into<Complaint>>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Option<T> {
        match self.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => self.take(name, value, read),
        }
    }

    /// A field where absent keeps, null clears and a value sets.
    pub fn patch<T, E: Into<Complaint>>(&mut self, name: &'static str, read: impl FnOnce(&Value) -> Result<T, E>) -> Patch<T> {
        match self.get(name) {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Clear,
            Some(value) => self.take(name, value, read).map_or(Patch::Keep, Patch::Set),
        }
    }

    fn take<T, E: Into<Complaint>>(
        &mut self,
        name: &str,
        value: &Value,
        read: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Option<T> {
        read(value).map_err(|reason| self.complain(name, reason)).ok()
    }

    /// Complains about every field nobody asked for. REST bodies are read so; frames ignore extra fields.
    pub fn refuse_unknown(&mut self) {
        let unknown: Vec<_> = self.map.keys().filter(|key| !self.known.contains(&key.as_str())).cloned().collect();
        for name in unknown {
            self.complain(&name, "is not a field of this request");
        }
    }

    /// The result, when nobody complained.
    ///
    /// # Errors
    /// All complaints together.
    pub fn finish<T>(self, result: Option<T>) -> Result<T, FieldErrors> {
        match result {
            Some(result) if self.errors.is_empty() => Ok(result),
            Some(_) | None => Err(self.errors),
        }
    }
}

/// Reads text of at most `max_bytes` of UTF-8, without U+0000.
pub fn text(max_bytes: usize) -> impl FnOnce(&Value) -> Result<String, Complaint> {
    move |value| {
        let text = value.as_str().ok_or("must be text")?;
        if text.len() > max_bytes {
            return Err(Complaint::TooLarge(format!("must be at most {max_bytes} bytes")));
        }
        if text.contains('\0') {
            return Err("must not contain U+0000".into());
        }
        Ok(text.to_owned())
    }
}

/// Like [`text`], and holds something besides white space.
pub fn filled_text(max_bytes: usize) -> impl FnOnce(&Value) -> Result<String, Complaint> {
    move |value| {
        let text = text(max_bytes)(value)?;
        if text.trim().is_empty() { Err("must not be empty".into()) } else { Ok(text) }
    }
}

/// Reads anything that is written as text: ids, names of a closed set.
pub fn parsed<T: FromStr>(what: &'static str) -> impl FnOnce(&Value) -> Result<T, String> {
    move |value| value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| format!("must be {what}"))
}

/// Reads a UUID as text.
pub fn id<T: FromStr>(value: &Value) -> Result<T, String> {
    parsed("a UUID as text")(value)
}

/// Reads an integer from `min` to 2^53 − 1.
pub fn integer(min: u64) -> impl FnOnce(&Value) -> Result<u64, String> {
    move |value| {
        value
            .as_u64()
            .filter(|n| (min..=MAX_INTEGER).contains(n))
            .ok_or_else(|| format!("must be an integer from {min} to 2^53 - 1"))
    }
}

/// Reads a boolean.
pub fn boolean(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "must be true or false".into())
}

/// Reads RFC 3339 text.
pub fn instant(value: &Value) -> Result<UnixMs, String> {
    value.as_str().and_then(|t| UnixMs::parse(t).ok()).ok_or_else(|| "must be an RFC 3339 time".into())
}

/// Reads a map, as it stands.
pub fn object(max_bytes: usize) -> impl FnOnce(&Value) -> Result<Map<String, Value>, Complaint> {
    move |value| {
        let map = value.as_object().ok_or("must be a map")?;
        let text = value.to_string();
        if text.len() > max_bytes {
            return Err(Complaint::TooLarge(format!("must be at most {max_bytes} bytes")));
        }
        if holds_nul(value) {
            return Err("must not contain U+0000".into());
        }
        Ok(map.clone())
    }
}

/// U+0000 in any text or key of the tree: Postgres cannot store it.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(holds_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Reads a list of at most `max` ids.
pub fn ids<T: FromStr>(max: usize) -> impl FnOnce(&Value) -> Result<Vec<T>, String> {
    move |value| {
        let list = value.as_array().ok_or("must be a list")?;
        if list.len() > max {
            return Err(format!("must hold at most {max} ids"));
        }
        list.iter().map(id).collect()
    }
}
