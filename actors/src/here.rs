//! Whose sockets are open on this node: counted where they open and close, read by the workspace that tells who is here. What is
//! held here outlives any actor, so that a workspace that begins anew knows at once who is here.

use std::collections::HashMap;
use std::sync::Arc;

use hub_core::ids::{UserId, WorkspaceId};
use hub_core::rules::intent::Asker;
use hub_core::rules::permissions::Side;
use parking_lot::Mutex;

use crate::Tickets;
use crate::workspace::WorkspaceMessage;

/// The open sockets of the staff, by person.
#[derive(Default)]
pub(crate) struct Here {
    open: Mutex<HashMap<WorkspaceId, HashMap<UserId, Open>>>,
}

/// The sockets of one person.
struct Open {
    /// As the newest of them was greeted.
    name: String,
    sockets: usize,
}

impl Here {
    /// Who of a workspace has a socket open.
    pub fn of(&self, workspace: WorkspaceId) -> Vec<(UserId, String)> {
        let open = self.open.lock();
        open.get(&workspace).into_iter().flatten().map(|(user, open)| (*user, open.name.clone())).collect()
    }

    /// True when that changes who is here, or what somebody is called.
    fn come(&self, workspace: WorkspaceId, user: UserId, name: &str) -> bool {
        let mut all = self.open.lock();
        let of_workspace = all.entry(workspace).or_default();
        let open = of_workspace.entry(user).or_insert_with(|| Open { name: String::new(), sockets: 0 });
        open.sockets += 1;
        let is_renamed = open.name != name;
        if is_renamed {
            name.clone_into(&mut open.name);
        }
        is_renamed || open.sockets == 1
    }

    /// True when it was the last.
    fn go(&self, workspace: WorkspaceId, user: UserId) -> bool {
        let mut all = self.open.lock();
        let Some(of_workspace) = all.get_mut(&workspace) else { return false };
        let Some(open) = of_workspace.get_mut(&user) else { return false };
        open.sockets = open.sockets.saturating_sub(1);
        let is_last = open.sockets == 0;
        if is_last {
            of_workspace.remove(&user);
        }
        if of_workspace.is_empty() {
            all.remove(&workspace);
        }
        is_last
    }
}

/// Somebody of the staff has a socket open: for as long as this is held, whatever becomes of who holds it.
pub struct Present {
    tickets: Tickets,
    here: Arc<Here>,
    workspace: WorkspaceId,
    user: UserId,
}

impl Present {
    /// From now on; none for those whom the lists of people do not name.
    pub(crate) fn begin(tickets: &Tickets, here: &Arc<Here>, workspace: WorkspaceId, by: &Asker) -> Option<Self> {
        match by.role.side() {
            Side::Staff => {}
            Side::Customer | Side::Platform => return None,
        }
        let is_news = here.come(workspace, by.user, &by.name);
        let present = Self { tickets: tickets.clone(), here: Arc::clone(here), workspace, user: by.user };
        if is_news {
            present.tell();
        }
        Some(present)
    }

    /// Where that finds no room, the workspace sees it when it looks again, which it does now and then.
    fn tell(&self) {
        if self.tickets.send_to_workspace(self.workspace, WorkspaceMessage::PeopleChanged).is_err() {
            tracing::debug!(workspace = %self.workspace, "a workspace had no room to hear who came or went");
        }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        if self.here.go(self.workspace, self.user) {
            self.tell();
        }
    }
}
