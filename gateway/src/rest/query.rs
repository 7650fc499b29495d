//! Query strings, read as strictly as bodies: known names, well-formed values, complaints all together.

use actix_web::web;
use hub_core::time::UnixMs;
use hub_core::wire::fields::FieldErrors;
use hub_core::wire::{MAX_INTEGER, Problem};

/// 9999-12-31T23:59:59.999Z: later (or before 1970) is no time a ticket can have.
const LAST_MS: i64 = 253_402_300_799_999;

/// A query string being read. Every accessor notes its complaint; [`Query::finish`] tells them all together.
pub struct Query {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
    errors: FieldErrors,
}

impl Query {
    /// Begins to read.
    ///
    /// # Errors
    /// `invalid` when the text is no query string.
    pub fn new(text: &str) -> Result<Self, Problem> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(text)
            .map_err(|_| Problem::invalid_field("query", "cannot be read"))?
            .into_inner();
        Ok(Self { pairs, known: Vec::new(), errors: FieldErrors::new() })
    }

    /// Notes a complaint.
    pub fn complain(&mut self, name: &str, reason: impl Into<String>) {
        self.errors.entry(name.to_owned()).or_insert_with(|| reason.into().into());
    }

    /// Every value of a name, in order.
    pub fn all(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        self.pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// The one value of a name.
    pub fn one<T>(&mut self, name: &'static str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let values = self.all(name);
        match values.as_slice() {
            [] => None,
            [value] => read(value).map_err(|reason| self.complain(name, reason)).ok(),
            [_, _, ..] => {
                self.complain(name, "stands twice");
                None
            }
        }
    }

    /// An integer from `min` to `max`.
    pub fn integer(&mut self, name: &'static str, min: u64, max: u64) -> Option<u64> {
        self.one(name, |text| {
            let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let number = is_plain.then(|| text.parse().ok()).flatten().filter(|n| (min..=max).contains(n));
            number.ok_or_else(|| format!("must be an integer from {min} to {max}"))
        })
    }

    /// A number of an event.
    pub fn seq(&mut self, name: &'static str) -> Option<u64> {
        self.integer(name, 0, MAX_INTEGER)
    }

    /// An RFC 3339 time from 1970 to 9999.
    pub fn instant(&mut self, name: &'static str) -> Option<UnixMs> {
        self.one(name, |text| {
            let instant = UnixMs::parse(text).ok().filter(|at| is_usual(*at));
            instant.ok_or_else(|| "must be an RFC 3339 time (a + in it is written %2B)".into())
        })
    }

    /// The result, when nobody complained and nothing unknown was asked.
    ///
    /// # Errors
    /// `invalid` with all complaints together.
    pub fn finish<T>(mut self, result: T) -> Result<T, Problem> {
        let unknown: Vec<_> =
            self.pairs.iter().map(|(key, _)| key.clone()).filter(|key| !self.known.contains(&key.as_str())).collect();
        for name in unknown {
            self.complain(&name, "is not a parameter of this request");
        }
        if self.errors.is_empty() { Ok(result) } else { Err(Problem::invalid(self.errors)) }
    }
}

/// True for times that every part of the hub can hold.
pub const fn is_usual(at: UnixMs) -> bool {
    at.0 >= 0 && at.0 <= LAST_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_come_together_and_unknown_parameters_are_refused() {
        let mut query =
            Query::new("limit=101&after=x&sort=title&before=1&before=2&from=-009999-01-01T00:00:00Z").expect("pairs");
        query.integer("limit", 1, 100);
        query.seq("after");
        query.seq("before");
        query.instant("from");
        let problem = query.finish(()).expect_err("all of it is wrong");
        let fields = problem.detail["fields"].as_object().expect("a map");
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["after", "before", "from", "limit", "sort"]);
    }

    #[test]
    fn a_repeated_parameter_is_a_list() {
        let mut query = Query::new("status=open&status=closed%2Cresolved").expect("pairs");
        assert_eq!(query.all("status"), ["open", "closed,resolved"]);
        assert!(query.finish(()).is_ok());
    }
}
