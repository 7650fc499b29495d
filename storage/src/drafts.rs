//! Drafts over Postgres: reading and saving them. What becomes of them when something is sent is written by the journal.

use hub_core::ids::{TicketKey, UserId};
use hub_core::ports::{Answer, Drafts, MAX_DRAFTS, StoreError};
use hub_core::rules::drafts::{DraftKey, DraftText, Kept, merged};
use hub_core::wire::PersonRef;
use tokio_postgres::Row;
use tokio_postgres::types::{Json, ToSql};

use crate::rows::{bigint, counter, get, instant, to_system_time, unreadable};
use crate::sql;
use crate::store::Store;

impl Drafts for Store {
    fn of_ticket(&self, ticket: TicketKey) -> Answer<Vec<Kept>> {
        self.reads().read(move |db| async move {
            let (workspace, id, limit) = (ticket.workspace.uuid(), ticket.ticket.uuid(), i64::from(MAX_DRAFTS));
            let rows = db.rows(ticket.workspace, sql::DRAFTS_OF_TICKET, &[&workspace, &id, &limit]).await?;
            rows.iter().map(kept).collect()
        })
    }

    fn save(&self, ticket: TicketKey, drafts: Vec<Kept>) -> Answer<Vec<DraftKey>> {
        self.reads().write(move |db| async move {
            let (workspace, id) = (ticket.workspace.uuid(), ticket.ticket.uuid());
            let texts: Vec<_> = drafts.iter().map(|draft| draft.text.as_ref()).collect();
            let user: Vec<_> = drafts.iter().map(|draft| draft.key.user.uuid()).collect();
            let audience: Vec<_> = drafts.iter().map(|draft| draft.key.audience.name()).collect();
            let revision: Vec<_> = drafts.iter().map(|draft| bigint(draft.revision)).collect();
            let body: Vec<_> = texts.iter().map(|text| text.map(|text| text.body.as_str())).collect();
            let based_on: Vec<_> = texts.iter().map(|text| text.map(|text| bigint(text.based_on))).collect();
            let authors: Vec<_> = texts.iter().map(|text| text.map(|text| Json(&text.authors))).collect();
            let updated_at: Vec<_> = drafts.iter().map(|draft| to_system_time(draft.updated_at)).collect();
            let params: [&(dyn ToSql + Sync); 9] =
                [&workspace, &id, &user, &audience, &revision, &body, &based_on, &authors, &updated_at];
            db.rows(ticket.workspace, sql::DRAFTS_SAVE, &params).await?.iter().map(key).collect()
        })
    }
}

fn kept(row: &Row) -> Result<Kept, StoreError> {
    let updated_at = instant(row, "updated_at")?;
    let text = get::<Option<String>>(row, "body")?.map(|body| {
        let Json(authors) = get::<Json<Vec<PersonRef>>>(row, "authors")?;
        Ok::<_, StoreError>(DraftText { body, based_on: counter(row, "based_on")?, authors: merged(&authors) })
    });
    Ok(Kept { key: key(row)?, revision: counter(row, "revision")?, updated_at, text: text.transpose()? })
}

fn key(row: &Row) -> Result<DraftKey, StoreError> {
    let audience: &str = get(row, "audience")?;
    let audience = audience.parse().map_err(|()| unreadable(format!("{audience:?} is no audience")))?;
    Ok(DraftKey { user: get(row, "user_id").map(UserId::new)?, audience })
}
