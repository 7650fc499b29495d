//! The facts of workspaces, kept for a moment so that a hundred tickets of one workspace ask once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hub_core::ids::WorkspaceId;
use hub_core::ports::{StoreError, Workspaces};
use hub_core::rules::workspace::WorkspaceFacts;
use parking_lot::Mutex;
use tokio::time::Instant;

/// More workspaces than this are not kept; the oldest go.
const MAX_KEPT: usize = 4_096;

/// A cache of facts, shared by all tickets of a node.
pub struct FactsCache {
    workspaces: Arc<dyn Workspaces>,
    keep_for: Duration,
    kept: Mutex<HashMap<WorkspaceId, (Instant, Arc<WorkspaceFacts>)>>,
}

impl FactsCache {
    pub fn new(workspaces: Arc<dyn Workspaces>, keep_for: Duration) -> Self {
        Self { workspaces, keep_for, kept: Mutex::new(HashMap::new()) }
    }

    /// The facts, if they are fresh.
    pub fn fresh(&self, workspace: WorkspaceId) -> Option<Arc<WorkspaceFacts>> {
        let kept = self.kept.lock();
        kept.get(&workspace).filter(|(at, _)| at.elapsed() < self.keep_for).map(|(_, facts)| Arc::clone(facts))
    }

    /// The facts, asked for where they are not fresh; none for a workspace that does not exist.
    pub async fn get(&self, workspace: WorkspaceId) -> Result<Option<Arc<WorkspaceFacts>>, StoreError> {
        if let Some(facts) = self.fresh(workspace) {
            return Ok(Some(facts));
        }
        let facts = self.workspaces.facts(workspace).await?;
        if let Some(facts) = &facts {
            let mut kept = self.kept.lock();
            if kept.len() >= MAX_KEPT {
                kept.retain(|_, (at, _)| at.elapsed() < self.keep_for);
            }
            if kept.len() < MAX_KEPT {
                kept.insert(workspace, (Instant::now(), Arc::clone(facts)));
            }
        }
        Ok(facts)
    }
}
