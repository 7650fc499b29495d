//! Everything that reads strangers' bytes, as targets for a fuzzer: each takes any bytes at all, panics where a property is
//! broken, and answers what kind of input it was, so that a fuzzer can keep one of each kind. Not in shipped builds.
//!
//! The runner is `gateway/tests/fuzz`; any other fuzzer can call the same targets.

mod frames;
mod limits;
mod requests;
mod sockets;

use std::hash::{DefaultHasher, Hash, Hasher};

/// What kind of input it was: the same number for inputs that took the same way.
pub type Kind = u64;

/// Takes any bytes, panics where a property is broken.
pub type Target = fn(&[u8]) -> Kind;

/// All targets, by name.
pub const TARGETS: [(&str, Target); 8] = [
    ("client_frame_json", frames::json),
    ("client_frame_msgpack", frames::msgpack),
    ("frame_judge", sockets::judge),
    ("fragments", sockets::fragments),
    ("rest_bodies", requests::bodies),
    ("rest_queries", requests::queries),
    ("cursors_and_tags", requests::cursors_and_tags),
    ("tokens", requests::tokens),
];

fn kind(of: impl Hash) -> Kind {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
