//! The audit chain: every event carries a hash over the one before it, so that a changed byte, a missing, a swapped
//! or an inserted event shows.
//!
//! `hash = sha256(previous ‖ data ‖ sha256(salt ‖ private))`. `data` is never personal and never erased; `private` and
//! `salt` may be erased: the chain then still verifies, because the commitment `sha256(salt ‖ private)` is stored beside them.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// A digest as 64 hex digits: a fifth of what 32 numbers take in a stored state.
pub(super) mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Hash;

    pub(in crate::rules) fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits: String =
            hash.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(DIGITS[usize::from(half)])).collect();
        serializer.serialize_str(&digits)
    }

    pub(in crate::rules) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let mut hash = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(D::Error::custom("a digest has 64 hex digits"));
        }
        for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&digits[at..at + 2], 16).map_err(D::Error::custom)?;
        }
        Ok(hash)
    }
}

/// What the first event of a ticket is chained to.
pub const GENESIS: Hash = [0; 32];

/// What is hidden behind the hash: proves the private bytes without telling them.
pub fn commitment(salt: &[u8], private: &[u8]) -> Hash {
    Sha256::new().chain_update(salt).chain_update(private).finalize().into()
}

/// The hash of an event.
pub fn link(previous: &Hash, data: &[u8], commitment: &Hash) -> Hash {
    Sha256::new().chain_update(previous).chain_update(data).chain_update(commitment).finalize().into()
}

/// An event as it is stored, as far as the chain is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number in the ticket.
    pub seq: u64,
    /// The canonical bytes.
    pub data: Vec<u8>,
    /// Salt and private bytes, unless erased.
    pub private: Option<(Vec<u8>, Vec<u8>)>,
    /// `sha256(salt ‖ private)`.
    pub commitment: Hash,
    /// The hash that was stored.
    pub hash: Hash,
}

/// Where a chain does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The numbers do not go 1, 2, 3…
    #[error("expected event {expected}, found {found}")]
    Gap {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// The private bytes are not those that were committed to.
    #[error("the private part of event {seq} was changed")]
    Private {
        /// Which event.
        seq: u64,
    },
    /// The data, the commitment or the hash was changed, or an event before it was.
    #[error("event {seq} does not follow from the one before it")]
    Hash {
        /// Which event.
        seq: u64,
    },
    /// The head is not where the ticket says it is.
    #[error("the ticket says it ends at event {head}, the log ends at {found}")]
    Head {
        /// What the ticket says.
        head: u64,
        /// Where the log ends.
        found: u64,
    },
}

/// Verifies a whole chain, oldest first, against the head the ticket's row tells.
///
/// # Errors
/// The first place where it does not hold.
pub fn verify<'a>(links: impl IntoIterator<Item = &'a Link>, head: u64, head_hash: &Hash) -> Result<(), Broken> {
    let (mut previous, mut seq) = (GENESIS, 0);
    for l in links {
        if l.seq != seq + 1 {
            return Err(Broken::Gap { expected: seq + 1, found: l.seq });
        }
        seq = l.seq;
        if l.private.as_ref().is_some_and(|(salt, private)| commitment(salt, private) != l.commitment) {
            return Err(Broken::Private { seq });
        }
        if link(&previous, &l.data, &l.commitment) != l.hash {
            return Err(Broken::Hash { seq });
        }
        previous = l.hash;
    }
    if seq != head {
        return Err(Broken::Head { head, found: seq });
    }
    if &previous == head_hash { Ok(()) } else { Err(Broken::Hash { seq }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chain(bodies: &[Vec<u8>]) -> Vec<Link> {
        let mut previous = GENESIS;
        let mut links = Vec::new();
        for (at, body) in bodies.iter().enumerate() {
            let (salt, data) = (vec![at as u8; 16], vec![at as u8, 1, 2]);
            let commitment = commitment(&salt, body);
            previous = link(&previous, &data, &commitment);
            links.push(Link { seq: at as u64 + 1, data, private: Some((salt, body.clone())), commitment, hash: previous });
        }
        links
    }

    proptest! {
        #[test]
        fn any_change_of_one_byte_is_found_where_it_is(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..8), 1..12),
            at in any::<prop::sample::Index>(), part in 0_u8..4, byte in any::<prop::sample::Index>(),
        ) {
            let mut links = chain(&bodies);
            let (head, tip) = (links.len() as u64, links[links.len() - 1].hash);
            prop_assert_eq!(verify(&links, head, &tip), Ok(()));
            let at = at.index(links.len());
            let bytes: &mut [u8] = match part {
                0 => &mut links[at].data,
                1 => &mut links[at].private.as_mut().expect("not erased").1,
                2 => &mut links[at].commitment,
                _ => &mut links[at].hash,
            };
            let byte = byte.index(bytes.len());
            bytes[byte] ^= 1;
            let expected = match part { 1 | 2 => Broken::Private { seq: at as u64 + 1 }, _ => Broken::Hash { seq: at as u64 + 1 } };
            prop_assert_eq!(verify(&links, head, &tip), Err(expected));
        }

        #[test]
        fn erasing_private_parts_keeps_the_chain(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 1..12)) {
            let mut links = chain(&bodies);
            let (head, tip) = (links.len() as u64, links[links.len() - 1].hash);
            for l in &mut links { l.private = None; }
            prop_assert_eq!(verify(&links, head, &tip), Ok(()));
        }
    }

    #[test]
    fn a_missing_swapped_or_cut_off_event_is_found() {
        let links = chain(&[vec![1], vec![2], vec![3]]);
        let tip = links[2].hash;
        assert_eq!(verify([&links[0], &links[2]], 3, &tip), Err(Broken::Gap { expected: 2, found: 3 }));
        assert_eq!(verify(&links[..2], 3, &tip), Err(Broken::Head { head: 3, found: 2 }));
        let mut swapped = links.clone();
        swapped.swap(0, 1);
        swapped[0].seq = 1;
        swapped[1].seq = 2;
        assert_eq!(verify(&swapped, 3, &tip), Err(Broken::Hash { seq: 1 }));
    }
}
