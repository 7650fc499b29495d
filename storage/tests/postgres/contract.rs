//! The journal over Postgres keeps the contract of a journal, batched and not.

use std::future::Future;
use std::pin::Pin;

use hub_core::for_each_contract;
use hub_core::ids::TicketKey;
use hub_core::ports::{Drafts, Journal, Notifications};
use hub_core::testing::contract::{self, Subject};
use storage::{Store, StoreConfig};
use tokio::runtime::Handle;
use tokio_postgres::Client;

use crate::world::World;

struct InPostgres {
    store: Store,
    superuser: Client,
    world: World,
}

impl InPostgres {
    async fn new(batching: bool) -> Self {
        let world = World::new().await;
        let config = StoreConfig { batching, ..StoreConfig::new(&world.db.app_url) };
        let store = Store::connect(config, Handle::current()).await.expect("starts");
        Self { store, superuser: world.db.superuser().await, world }
    }
}

impl Subject for InPostgres {
    fn journal(&self) -> &dyn Journal {
        &self.store
    }

    fn drafts(&self) -> &dyn Drafts {
        &self.store
    }

    fn notifications(&self) -> &dyn Notifications {
        &self.store
    }

    fn fresh(&self) -> TicketKey {
        self.world.fresh()
    }

    fn erase(&self, ticket: TicketKey, seq: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let sql = "UPDATE events SET private = NULL, salt = NULL WHERE workspace_id = $1 AND ticket_id = $2 AND seq = $3";
            let (workspace, ticket, seq) = (ticket.workspace.uuid(), ticket.ticket.uuid(), i64::try_from(seq).expect("small"));
            let erased = self.superuser.execute(sql, &[&workspace, &ticket, &seq]).await.expect("erasable");
            assert_eq!(erased, 1);
        })
    }
}

mod batched {
    use super::*;
    macro_rules! in_postgres {
        ($name:ident) => {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                contract::$name(&InPostgres::new(true).await).await;
            }
        };
    }
    for_each_contract!(in_postgres);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_transaction_per_append_keeps_the_contract_too() {
    let subject = InPostgres::new(false).await;
    macro_rules! in_turn {
        ($name:ident) => {
            contract::$name(&subject).await;
        };
    }
    for_each_contract!(in_turn);
}
