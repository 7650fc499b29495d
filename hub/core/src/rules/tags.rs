//! Tags: a set, so that what several people do to it at the same time merges.

use crate::wire::Event;
use crate::wire::Problem;
use crate::wire::client::MAX_TAGS;

/// What adding and removing changes; nothing where all is so already.
///
/// # Errors
/// `invalid`, when there would be too many.
pub fn change(tags: &[String], add: &[String], remove: &[String]) -> Result<Option<Event>, Problem> {
    let added: Vec<String> = add.iter().filter(|tag| !tags.contains(tag)).cloned().collect();
    let removed: Vec<String> = remove.iter().filter(|tag| tags.contains(tag)).cloned().collect();
    if tags.len() + added.len() > MAX_TAGS + removed.len() {
        return Err(Problem::invalid_field("add", "would make more than 50 tags"));
    }
    Ok((!added.is_empty() || !removed.is_empty()).then_some(Event::TagsChanged { added, removed }))
}

/// The tags after a change, sorted.
pub fn apply(tags: &mut Vec<String>, added: &[String], removed: &[String]) {
    tags.retain(|tag| !removed.contains(tag));
    tags.extend(added.iter().cloned());
    tags.sort_unstable();
    tags.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some_tags() -> impl Strategy<Value = Vec<String>> {
        prop::collection::btree_set("[a-e]", 0..5).prop_map(|set| set.into_iter().collect())
    }

    proptest! {
        /// Whatever two people do at the same time: what one added and nobody removed is there, in either order.
        #[test]
        fn changes_merge(before in some_tags(), a in some_tags(), b in some_tags(), c in some_tags()) {
            let c: Vec<String> = c.into_iter().filter(|tag| !a.contains(tag) && !b.contains(tag)).collect();
            let after = |steps: [(&[String], &[String]); 2]| {
                let mut tags = before.clone();
                for (add, remove) in steps {
                    if let Some(Event::TagsChanged { added, removed }) = change(&tags, add, remove).expect("few") {
                        apply(&mut tags, &added, &removed);
                    }
                }
                tags
            };
            let one = after([(&a, &c), (&b, &[])]);
            prop_assert_eq!(&one, &after([(&b, &[]), (&a, &c)]));
            prop_assert!(a.iter().chain(&b).all(|tag| one.contains(tag)) && c.iter().all(|tag| !one.contains(tag)));
        }
    }
}
