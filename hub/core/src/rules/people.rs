//! Who of the staff is here, over all tabs and devices. Somebody whose last socket is gone stays for a moment, so that a page that
//! is loaded anew, or a train in a tunnel, does not make everybody's list flicker. Knows no sockets: who has one comes in.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::ids::UserId;
use crate::wire::{Availability, Online};

/// How long somebody without a socket is still here: with the second that changes are gathered for, half of the ten seconds after
/// which nobody may be shown any longer.
pub const GRACE: Duration = Duration::from_secs(5);

/// The people of one workspace.
#[derive(Clone, Debug, Default)]
pub struct People {
    here: BTreeMap<UserId, Person>,
}

#[derive(Clone, Debug)]
struct Person {
    name: String,
    /// Since when there is no socket any longer.
    gone_since: Option<Instant>,
}

impl People {
    /// These have a socket open right now.
    pub fn look(&mut self, open: impl IntoIterator<Item = (UserId, String)>, now: Instant) {
        for person in self.here.values_mut() {
            person.gone_since.get_or_insert(now);
        }
        for (user, name) in open {
            self.here.insert(user, Person { name, gone_since: None });
        }
        self.here.retain(|_, person| person.gone_since.is_none_or(|since| now.duration_since(since) < GRACE));
    }

    /// When to look again, although nobody came or went.
    pub fn deadline(&self) -> Option<Instant> {
        self.here.values().filter_map(|person| person.gone_since).min().map(|since| since + GRACE)
    }

    /// Everybody who is here, by name.
    pub fn listed(&self) -> Vec<Online> {
        let online =
            |(id, person): (&UserId, &Person)| Online { id: *id, name: person.name.clone(), state: Availability::Available };
        let mut listed: Vec<_> = self.here.iter().map(online).collect();
        listed.sort_by(|one, other| one.name.cmp(&other.name).then(one.id.cmp(&other.id)));
        listed
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn person(number: u128, name: &str) -> (UserId, String) {
        (UserId::new(Uuid::from_u128(number)), name.to_owned())
    }

    fn names(people: &People) -> Vec<String> {
        people.listed().into_iter().map(|online| online.name).collect()
    }

    #[test]
    fn who_goes_stays_for_a_moment_and_who_comes_back_never_went() {
        let (start, mut people) = (Instant::now(), People::default());
        people.look([person(2, "Bo"), person(1, "Ana")], start);
        assert_eq!((names(&people), people.deadline()), (vec!["Ana".into(), "Bo".into()], None));
        let left = start + Duration::from_secs(60);
        people.look([person(1, "Ana")], left);
        assert_eq!((names(&people), people.deadline()), (vec!["Ana".into(), "Bo".into()], Some(left + GRACE)));
        people.look([person(1, "Ana")], left + GRACE - Duration::from_millis(1));
        assert_eq!(names(&people), ["Ana", "Bo"]);
        let mut came_back = people.clone();
        came_back.look([person(1, "Ana"), person(2, "Bo")], left + GRACE - Duration::from_millis(1));
        came_back.look([person(1, "Ana"), person(2, "Bo")], left + GRACE * 2);
        assert_eq!((names(&came_back), came_back.deadline()), (vec!["Ana".into(), "Bo".into()], None));
        people.look([person(1, "Ana")], left + GRACE);
        assert_eq!((names(&people), people.deadline()), (vec!["Ana".into()], None));
    }

    #[test]
    fn a_new_name_is_shown_and_two_of_one_name_are_two() {
        let (now, mut people) = (Instant::now(), People::default());
        people.look([person(1, "Ana"), person(2, "Ana")], now);
        assert_eq!(people.listed().len(), 2);
        people.look([person(1, "Ana Lima"), person(2, "Ana")], now);
        assert_eq!(names(&people), ["Ana", "Ana Lima"]);
    }
}
