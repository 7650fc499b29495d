//! What a door needs to do its work, in one cheap handle that every worker and every socket holds.

use std::sync::Arc;

use actors::Tickets;
use hub_core::ports::{Accounts, Clock, Journal, TicketLists};
use hub_core::wire::Limits;

use crate::auth::Authenticator;
use crate::limits;
use crate::readiness::Readiness;
use crate::settings::Settings;
use crate::ws;

/// Everything a door needs. Cheap to clone; every clone shares the same state.
#[derive(Clone)]
pub struct Doors {
    /// The one way in for every change.
    pub tickets: Tickets,
    /// The log, for reading.
    pub journal: Arc<dyn Journal>,
    /// Lists of tickets, for reading.
    pub lists: Arc<dyn TicketLists>,
    /// People, and their sign-ins.
    pub accounts: Arc<dyn Accounts>,
    /// Database time.
    pub clock: Arc<dyn Clock>,
    /// Signs people in and knows them again.
    pub authenticator: Authenticator,
    /// The open sockets of this node.
    pub sockets: ws::Sockets,
    /// How often somebody may knock.
    pub rates: limits::Limits,
    /// The connections of this node.
    pub connections: limits::Connections,
    /// Whether this node wants visitors.
    pub readiness: Readiness,
    /// What the starter decided.
    pub settings: Arc<Settings>,
    /// What clients are told about sizes and counts.
    pub limits: Limits,
}

impl Doors {
    /// Joins the parts. `sockets` and the authenticator are made here: they belong to the doors alone.
    pub fn new(
        tickets: Tickets,
        journal: Arc<dyn Journal>,
        lists: Arc<dyn TicketLists>,
        accounts: Arc<dyn Accounts>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        let authenticator = Authenticator::new(Arc::clone(&accounts), Arc::clone(&clock), settings.login);
        let limits = settings.sockets.told();
        let (rates, connections) = (limits::Limits::new(&settings.rates), limits::Connections::new(&settings));
        Self {
            tickets,
            journal,
            lists,
            accounts,
            clock,
            authenticator,
            sockets: ws::Sockets::default(),
            rates,
            connections,
            readiness: Readiness::default(),
            settings: Arc::new(settings),
            limits,
        }
    }
}
