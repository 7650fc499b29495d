//! Keeps asking the database whether it is there, so that `/readyz` need not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway::{NotReady, Readiness};
use hub_core::ids::WorkspaceId;
use hub_core::ports::Accounts;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

const ASK_EVERY: Duration = Duration::from_secs(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Away for longer than this: not ready.
const AWAY_FOR: Duration = Duration::from_secs(5);

/// Watches for ever; ends when it is dropped.
pub async fn watch(readiness: Readiness, accounts: Arc<dyn Accounts>) {
    let mut last_answer = Instant::now();
    loop {
        // A sign-in nobody has, in a workspace nobody has: one indexed look that finds nothing.
        let asked = timeout(ANSWER_WITHIN, accounts.session(WorkspaceId::new(Uuid::nil()), [0; 32])).await;
        if matches!(asked, Ok(Ok(_))) {
            last_answer = Instant::now();
            readiness.ready();
        } else if last_answer.elapsed() >= AWAY_FOR {
            readiness.not_ready(NotReady::Database);
        }
        sleep(ASK_EVERY).await;
    }
}
