//! Tickets and workspaces as actors, over the journal's memory twin, in paused time: one binary, one file per story.

mod claims;
mod commands;
mod desk;
mod drafts;
mod drafts_kept;
mod failures;
mod held;
mod lists;
mod notifications;
mod presence;
mod watching;
