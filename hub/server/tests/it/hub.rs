//! A whole hub in this process: its own database, its own port, its own threads, and the way it is served for real.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use hub_server::{Config, serve};
use serde_json::{Value, json};
use storage::testing::TestDatabase;
use tokio::sync::{OnceCell, oneshot};

use crate::fixture;
use crate::http::{Answer, Request};

/// How long a hub may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// All tests come from one address and are the same few people: rates are for the stories that name them.
const NO_RATES: [(&str, &str); 4] = [
    ("TANDEM_HANDSHAKES_PER_SECOND", "0"),
    ("TANDEM_ADDRESS_REQUESTS_PER_SECOND", "0"),
    ("TANDEM_TOKEN_REQUESTS_PER_SECOND", "0"),
    ("TANDEM_USER_REQUESTS_PER_SECOND", "0"),
];

/// A hub that serves until it is dropped.
pub struct TestHub {
    address: SocketAddr,
    database: Arc<TestDatabase>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

impl TestHub {
    /// A hub of one's own, with the people of [`fixture`].
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same, with settings (`TANDEM_…`).
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let database = TestDatabase::fresh().await;
        fixture::fill(&database).await;
        Self::serve(Arc::new(database), settings).await
    }

    /// A hub on a database that is there already.
    pub async fn serve(database: Arc<TestDatabase>, settings: &[(&str, &str)]) -> Self {
        Self::try_serve(database, settings).await.expect("the hub starts")
    }

    /// The same, for those that do not start.
    pub async fn try_serve(database: Arc<TestDatabase>, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let own = [("DATABASE_URL", database.app_url.as_str()), ("TANDEM_PORT", "0"), ("TANDEM_NODE", "test-1")];
        let environment =
            own.iter().chain(&NO_RATES).chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = Config::read(None, environment)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let stop = || async {
                let _ = stopped.await;
            };
            serve::run(&config, stop, |address, _| {
                let _ = ready.send(address);
            })
        });
        let address = tokio::task::spawn_blocking(move || is_ready.recv_timeout(READY_WITHIN)).await?;
        match address {
            Ok(address) => Ok(Self { address, database, stop: Some(stop), thread: Some(thread) }),
            Err(_) => Err(thread.join().expect("the hub does not panic").expect_err("it did not become ready")),
        }
    }

    /// Another hub on the same database: it believes that it owns the same tickets.
    pub async fn beside(&self, settings: &[(&str, &str)]) -> Self {
        Self::serve(Arc::clone(&self.database), settings).await
    }

    /// One hub for all tests that neither stop it, nor fail to sign in, nor count what is in it.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<TestHub> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Of the WebSocket door.
    #[allow(dead_code, reason = "for the stories of sockets")]
    pub fn ws_url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.address, method, path)
    }

    /// A request below `/api/v1`, as the owner of `token`.
    pub fn api(&self, token: &str, method: &str, path: &str) -> Request {
        self.request(method, &format!("/api/v1{path}")).bearer(token)
    }

    /// Signs in, for real, and answers the token.
    pub async fn token(&self, workspace: &str, email: &str) -> String {
        let asked = json!({"workspace": workspace, "email": email, "password": fixture::PASSWORD, "grant": "token"});
        let answer = self.request("POST", "/api/v1/sessions").json(&asked).send().await;
        answer.expect(200)["token"].as_str().expect("a token").to_owned()
    }

    /// Opens a ticket and answers it.
    pub async fn ticket(&self, token: &str, title: &str) -> Value {
        let key = uuid::Uuid::new_v4().to_string();
        let new = json!({"title": title, "description": "It does not work."});
        self.api(token, "POST", "/tickets").key(&key).json(&new).send().await.expect(201)
    }

    /// Writes a reply or note with a key of its own.
    pub async fn comment(&self, token: &str, ticket: &Value, comment: Value) -> Answer {
        let path = format!("/tickets/{}/comments", ticket["id"].as_str().expect("an id"));
        self.api(token, "POST", &path).key(&uuid::Uuid::new_v4().to_string()).json(&comment).send().await
    }

    /// Where its data is; for looking behind its back.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Stops it, the way SIGTERM does, and answers what became of it, with its database.
    pub async fn leave(mut self) -> (anyhow::Result<()>, Arc<TestDatabase>) {
        self.tell_to_stop();
        let thread = self.thread.take().expect("serves once");
        let ended = tokio::task::spawn_blocking(move || thread.join().expect("the hub does not panic")).await.expect("joins");
        (ended, Arc::clone(&self.database))
    }

    fn tell_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

impl Drop for TestHub {
    fn drop(&mut self) {
        self.tell_to_stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
