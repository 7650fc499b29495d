//! Wakes tickets that nobody looks at when the hub has to do something about them by itself: a held reply is to go out, a lease
//! ends. Tickets that are awake keep their own time; this is for those that sleep, also for those of a hub that is gone.

use std::collections::HashMap;
use std::time::Duration;

use hub_core::ids::TicketKey;
use tokio::time::{Instant, sleep};

use crate::tickets::WeakTickets;

/// How often the database is asked.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A ticket that was told is not told again for so long: it may have reasons to wait, such as a lease that was renewed.
const TELL_EVERY: Duration = Duration::from_secs(30);
/// Tickets told at a time, and looked at.
const AT_ONCE: u32 = 256;
const MOST: u32 = 4_096;

/// Looks for as long as the tickets are there.
pub async fn watch(tickets: WeakTickets) {
    let mut told: HashMap<TicketKey, Instant> = HashMap::new();
    loop {
        sleep(LOOK_EVERY).await;
        let Some(tickets) = tickets.upgrade() else { return };
        told.retain(|_, at| at.elapsed() < TELL_EVERY);
        let limit = AT_ONCE.saturating_add(u32::try_from(told.len()).unwrap_or(MOST)).min(MOST);
        match tickets.due(limit).await {
            Ok(due) => {
                for ticket in due.into_iter().filter(|ticket| !told.contains_key(ticket)).collect::<Vec<_>>() {
                    // Without room it is told in a second.
                    if tickets.wake(ticket).is_ok() {
                        told.insert(ticket, Instant::now());
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "what is due cannot be read"),
        }
    }
}
