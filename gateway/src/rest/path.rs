//! The ticket a path names. What is no id names nothing: it answers like a missing ticket, after the form was judged.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use hub_core::ids::{TicketId, TicketKey, WorkspaceId};
use hub_core::wire::Problem;
use uuid::Uuid;

use crate::problem::Refused;

/// The `{id}` of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketPath(Option<TicketId>);

impl TicketPath {
    /// The ticket in the asker's own workspace: no path leads into another one.
    ///
    /// # Errors
    /// `not_found` for what is no id.
    pub fn key(self, workspace: WorkspaceId) -> Result<TicketKey, Problem> {
        let ticket = self.0.ok_or_else(Problem::not_found)?;
        Ok(TicketKey { workspace, ticket })
    }
}

impl FromRequest for TicketPath {
    type Error = Refused;
    type Future = Ready<Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        /// The hyphenated form, and no other.
        const CHARS: usize = 36;
        let text = request.match_info().query("id");
        let id = (text.len() == CHARS).then(|| Uuid::try_parse(text).ok()).flatten();
        ready(Ok(Self(id.map(TicketId::new))))
    }
}
