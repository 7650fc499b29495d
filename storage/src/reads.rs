//! The pool: small reads and writes of one tenant each, on the I/O runtime, bounded in number and in time.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType, Timeouts};
use hub_core::ids::WorkspaceId;
use hub_core::ports::{Answer, StoreError};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error as PgError, Row, Statement};

use crate::connect::Connector;
use crate::error::unavailable;
use crate::{sql, tenant};

/// How long to wait for a free connection.
const WAIT: Duration = Duration::from_secs(2);
/// How long a read may take in all: the server gives up after 5 s, the rest is for an answer that does not come.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// Reads under way or waiting for a connection; more are refused.
const AT_ONCE: usize = 2_048;

pub(crate) type Params<'a> = [&'a (dyn ToSql + Sync)];

/// The pool of connections. Clones share it.
#[derive(Clone)]
pub(crate) struct Reads {
    pool: Pool,
    handle: Handle,
    permits: Arc<Semaphore>,
}

impl Reads {
    /// Connects to nothing yet.
    pub(crate) fn new(connector: Connector, connections: usize, handle: Handle) -> Result<Self, StoreError> {
        let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(connector.config().clone(), connector, config);
        let timeouts = Timeouts { wait: Some(WAIT), create: Some(2 * WAIT), recycle: Some(WAIT) };
        let pool = Pool::builder(manager).max_size(connections.max(1)).runtime(Runtime::Tokio1).timeouts(timeouts).build();
        let pool = pool.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { pool, handle, permits: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Reads; once more when the connection turns out to be dead.
    pub(crate) fn read<T, F, W>(&self, work: W) -> Answer<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
        W: Fn(Arc<Lease>) -> F + Send + Sync + 'static,
    {
        self.spawn(move |pool| async move {
            let lease = Arc::new(Lease::of(&pool).await?);
            let first = work(Arc::clone(&lease)).await;
            if first.is_ok() || !lease.client().is_closed() {
                return first;
            }
            drop(lease);
            work(Arc::new(Lease::of(&pool).await?)).await
        })
    }

    /// Writes something small; tried once, for a broken connection leaves the outcome open.
    pub(crate) fn write<T, F, W>(&self, work: W) -> Answer<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
        W: FnOnce(Arc<Lease>) -> F + Send + 'static,
    {
        self.spawn(move |pool| async move { work(Arc::new(Lease::of(&pool).await?)).await })
    }

    /// Runs to its end on the I/O runtime, whoever stops waiting.
    fn spawn<T, F>(&self, work: impl FnOnce(Pool) -> F + Send + 'static) -> Answer<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return Box::pin(std::future::ready(Err(StoreError::Full)));
        };
        let pool = self.pool.clone();
        let running = self.handle.spawn(async move {
            let _permit = permit;
            let late = |_| Err(StoreError::Unavailable("the database did not answer in time".into()));
            tokio::time::timeout(ANSWER_WITHIN, work(pool)).await.unwrap_or_else(late)
        });
        Box::pin(async move { running.await.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string()))) })
    }

    /// Lets no more connections out.
    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

/// One connection of the pool, for one answer. Abandoned in the middle of a question it does not go back to the pool, where
/// the next one would wait behind that question.
pub(crate) struct Lease {
    /// There until the end.
    object: Option<Object>,
    set_workspace: Statement,
    questions: AtomicUsize,
}

impl Lease {
    async fn of(pool: &Pool) -> Result<Self, StoreError> {
        let object = pool.get().await.map_err(no_connection)?;
        let set_workspace = object.prepare_cached(sql::SESSION_SET_WORKSPACE).await.map_err(|e| unavailable(&e))?;
        Ok(Self { object: Some(object), set_workspace, questions: AtomicUsize::new(0) })
    }

    /// The rows of one statement, prepared once per connection, in a transaction of `workspace`.
    pub(crate) async fn rows(&self, workspace: WorkspaceId, sql: &str, params: &Params<'_>) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepare(sql).await?;
        self.in_tenant(workspace, self.client().query(&statement, params)).await
    }

    /// The same, planned anew with these very values: for statements whose best index depends on them.
    pub(crate) async fn rows_planned_anew(
        &self,
        workspace: WorkspaceId,
        sql: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, StoreError> {
        self.in_tenant(workspace, self.client().query_typed(sql, params)).await
    }

    /// The rows of a statement that touches no tenant's table.
    pub(crate) async fn rows_without_tenant(&self, sql: &str, params: &Params<'_>) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepare(sql).await?;
        self.counted(self.client().query(&statement, params)).await
    }

    /// `work` in a transaction of `workspace`; it must send all it has to send when it is first polled.
    pub(crate) async fn in_tenant<T>(
        &self,
        workspace: WorkspaceId,
        work: impl Future<Output = Result<T, PgError>>,
    ) -> Result<T, StoreError> {
        self.counted(tenant::query(self.client(), &self.set_workspace, workspace, work)).await
    }

    /// A statement, prepared once per connection.
    pub(crate) async fn prepare(&self, sql: &str) -> Result<Statement, StoreError> {
        let object = self.object.as_ref().expect("taken out only when dropped");
        self.counted(object.prepare_cached(sql)).await
    }

    /// The bare client, for work inside [`Lease::in_tenant`].
    pub(crate) fn client(&self) -> &tokio_postgres::Client {
        self.object.as_ref().expect("taken out only when dropped")
    }

    async fn counted<T>(&self, question: impl Future<Output = Result<T, PgError>>) -> Result<T, StoreError> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        let answer = question.await;
        self.questions.fetch_sub(1, Ordering::Relaxed);
        answer.map_err(|error| unavailable(&error))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let is_abandoned = self.questions.load(Ordering::Relaxed) > 0;
        if let Some(object) = self.object.take().filter(|_| is_abandoned) {
            drop(Object::take(object));
        }
    }
}

fn no_connection(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => unavailable(&error),
        // nothing was asked: trying again soon is safe
        PoolError::Timeout(TimeoutType::Wait) => StoreError::Full,
        PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) => {
            StoreError::Unavailable("the database did not let us in in time".into())
        }
        PoolError::Closed => StoreError::Unavailable("the store is closed".into()),
        PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => StoreError::Unavailable(error.to_string()),
    }
}
