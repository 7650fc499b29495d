//! What REST reads, for the fuzzing targets: the very functions that the handlers call.

use hub_core::ports::{SignIn, TicketQuery};
use hub_core::rules::permissions::Side;
use hub_core::wire::client::{HandoverFields, ReplyFields, TagFields};
use hub_core::wire::fields::Fields;
use hub_core::wire::{Problem, Source};

pub fn sign_in(f: &mut Fields<'_>) -> Option<()> {
    super::sessions::read_sign_in(f).map(drop)
}

pub fn reply(f: &mut Fields<'_>) -> Option<ReplyFields> {
    ReplyFields::read(f)
}

pub fn handover(f: &mut Fields<'_>) -> Option<HandoverFields> {
    HandoverFields::read(f)
}

pub fn tags(f: &mut Fields<'_>) -> Option<TagFields> {
    TagFields::read(f)
}

/// Title and description.
pub fn new_ticket(f: &mut Fields<'_>) -> Option<(String, String)> {
    super::tickets::read_new(f, Source::Api, Side::Staff).map(|new| (new.title, new.description))
}

pub fn change(f: &mut Fields<'_>) -> Option<()> {
    super::tickets::Change::read(f).map(drop)
}

/// Revision and body.
pub fn draft(f: &mut Fields<'_>) -> Option<(Option<u64>, String)> {
    super::drafts::read_save(f).map(|(revision, save)| (revision, save.body))
}

pub fn list(query: &str, by: &SignIn) -> Result<TicketQuery, Problem> {
    super::list::read(query, by)
}

pub fn since(query: &str) -> Result<(), Problem> {
    super::events::Asked::read(query).map(drop)
}

/// The cursor, read and written again.
pub fn cursor(text: &str) -> Option<String> {
    super::cursor::read(text).ok().map(super::cursor::write)
}

pub fn etag(bytes: &[u8]) -> Option<u64> {
    super::headers::parse_etag(bytes)
}
