//! The log of a hub that runs for real, at its most talkative: it holds no secret and nothing that people wrote, and one id in
//! it leads to everything that became of a reply.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hub_core::wire::Codec;
use serde_json::{Value, json};
use storage::testing::TestDatabase;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::fixture;
use crate::http::{Answer, Request};
use crate::socket::{PATIENCE, Socket};

const METRICS_TOKEN: &str = "what-prometheus-says-to-get-in";

/// A hub in a process of its own, whose log is read as it is written.
struct Talkative {
    address: SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
    _process: Child,
    _database: TestDatabase,
}

impl Talkative {
    async fn start(format: &str) -> Self {
        let database = TestDatabase::fresh().await;
        fixture::fill(&database).await;
        let mut process = Command::new(env!("CARGO_BIN_EXE_hub"))
            .arg("serve")
            .env_clear()
            .envs([("DATABASE_URL", database.app_url.as_str()), ("TANDEM_PORT", "0"), ("TANDEM_LOG", "debug")])
            .envs([("TANDEM_LOG_FORMAT", format), ("TANDEM_METRICS_TOKEN", METRICS_TOKEN)])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the hub runs");
        let mut log = BufReader::new(process.stderr.take().expect("piped")).lines();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&lines);
        tokio::spawn(async move {
            while let Ok(Some(line)) = log.next_line().await {
                written.lock().expect("nobody panics with it").push(line);
            }
        });
        let mut hub = Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), lines, _process: process, _database: database };
        let ready = hub.line("the hub is ready").await;
        let start = ready.find("127.0.0.1:").expect("an address");
        let address: String = ready[start..].chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
        hub.address = address.parse().expect("an address");
        hub
    }

    /// Everything so far.
    fn all(&self) -> Vec<String> {
        self.lines.lock().expect("nobody panics with it").clone()
    }

    /// The first line that holds `part`.
    async fn line(&self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(line) = self.all().into_iter().find(|line| line.contains(part)) {
                return line;
            }
            assert!(Instant::now() < deadline, "no line with {part:?} in {:#?}", self.all());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.address, method, path)
    }

    async fn signed_in(&self, email: &str, grant: &str) -> Answer {
        let asked = json!({"workspace": "acme", "email": email, "password": fixture::PASSWORD, "grant": grant});
        self.request("POST", "/api/v1/sessions").json(&asked).send().await
    }

    async fn token(&self, email: &str) -> String {
        self.signed_in(email, "token").await.expect(200)["token"].as_str().expect("a token").to_owned()
    }
}

#[actix_rt::test]
async fn no_log_holds_a_secret_or_what_people_wrote() {
    let hub = Talkative::start("json").await;
    let (ana, cleo) = (hub.token("ana@acme.test").await, hub.token("cleo@customer.test").await);
    let cookie = hub.signed_in("bo@acme.test", "cookie").await;
    let cookie = cookie.header("set-cookie").and_then(|set| set.split(';').next()).expect("a cookie").to_owned();
    hub.request("GET", "/api/v1/me").header("Cookie", &cookie).send().await.expect(200);
    let wrong = json!({"workspace": "acme", "email": "bo@acme.test", "password": "Wr0ng-passw0rd", "grant": "token"});
    hub.request("POST", "/api/v1/sessions").json(&wrong).send().await.refused(401, "unauthenticated");
    hub.request("GET", "/metrics").bearer(METRICS_TOKEN).send().await;
    let new = json!({"title": "Quince jam on the keyboard", "description": "Medlar everywhere."});
    let ticket = hub.request("POST", "/api/v1/tickets").bearer(&cleo).key("apricot-key").json(&new).send().await.expect(201);
    let id = ticket["id"].as_str().expect("an id").to_owned();
    let mut socket = Socket::greet(hub.address, Codec::Json, &ana).await;
    socket.ask(json!({"type": "subscribe", "topic": format!("ticket:{id}")})).await;
    for (body, audience) in [("Persimmon for the customer.", "public"), ("Mulberry among ourselves.", "internal")] {
        let reply = json!({"type": "post_reply", "key": Uuid::new_v4(), "ticket_id": id, "body": body, "audience": audience, "force": true});
        assert_eq!(socket.ask(reply).await["type"], "ack");
    }
    socket.ask(json!({"type": "post_reply", "ticket_id": id, "body": "Loquat, refused.", "token": "tdm_gooseberry"})).await;
    socket.send_bytes(b"{\"type\":\"hello\",\"token\":\"tdm_elderberry").await;
    socket.is_alive().await;
    drop(socket);
    hub.line("a socket ended").await;
    let log = hub.all();
    assert!(log.len() > 10, "{log:#?}");
    let value = cookie.split_once('=').expect("name and value").1;
    let secrets = [&ana, &cleo, value, fixture::PASSWORD, "Wr0ng-passw0rd", METRICS_TOKEN, ":tandem@", "tdm_"];
    let words = ["Quince", "Medlar", "Persimmon", "Mulberry", "Loquat", "gooseberry", "elderberry", "apricot-key"];
    let people = ["ana@acme.test", "cleo@customer.test", "bo@acme.test", "Ana Agent", "Cleo Customer"];
    for secret in secrets.into_iter().chain(words).chain(people) {
        let told: Vec<_> = log.iter().filter(|line| line.contains(secret)).collect();
        assert!(told.is_empty(), "{secret:?} is in the log: {told:#?}");
    }
    for line in &log {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["target"].is_string(), "{line}");
    }
}

#[actix_rt::test]
async fn one_id_shows_the_whole_way_of_a_reply() {
    let hub = Talkative::start("json").await;
    let (ana, cleo) = (hub.token("ana@acme.test").await, hub.token("cleo@customer.test").await);
    let new = json!({"title": "Lost", "description": "And found."});
    let ticket = hub.request("POST", "/api/v1/tickets").bearer(&cleo).key("new").json(&new).send().await.expect(201);
    let mut socket = Socket::greet(hub.address, Codec::MsgPack, &ana).await;
    let key = Uuid::new_v4().to_string();
    let note = json!({"type": "post_reply", "key": key, "ticket_id": ticket["id"], "body": "Seen.", "audience": "internal"});
    assert_eq!(socket.ask(note).await["type"], "ack");
    // By the key: from the socket to the actor, to the journal, and back.
    let acked = hub.all_with(&key, "a command was acked").await;
    let way: Vec<String> = acked.iter().map(|line| line["fields"]["message"].as_str().expect("words").to_owned()).collect();
    let stations =
        ["a command came", "a command was decided", "an append was written", "a command was committed", "a command was acked"];
    assert_eq!(way, stations, "{acked:#?}");
    // From the first line, the connection; by the connection, the socket that said it, and the request that opened that.
    let connection = acked[0]["span"]["connection"].as_u64().expect("a connection");
    let opened = hub.all_with(&format!("\"connection\":{connection}}}"), "a socket opened").await;
    assert!(opened.iter().any(|line| line["span"]["id"].is_string()), "the request that opened it: {opened:#?}");
    // By REST: the request's id, of the caller's own choosing, leads to the key, and so to the same stations.
    let path = format!("/api/v1/tickets/{}/comments", ticket["id"].as_str().expect("an id"));
    let comment = json!({"body": "By REST.", "audience": "internal"});
    let request = hub.request("POST", &path).bearer(&ana).key("second").header("X-Request-Id", "ours-to-find.42");
    assert_eq!(request.json(&comment).send().await.header("x-request-id"), Some("ours-to-find.42"));
    let came = hub.all_with("ours-to-find.42", "a command was acked").await;
    let key = came.iter().find_map(|line| line["fields"]["key"].as_str()).expect("a key").to_owned();
    assert_eq!(hub.all_with(&key, "a command was acked").await.len(), stations.len());
}

impl Talkative {
    /// The lines that hold `id`, as soon as one of them says `until`.
    async fn all_with(&self, id: &str, until: &str) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let lines: Vec<String> = self.all().into_iter().filter(|line| line.contains(id)).collect();
            if lines.iter().any(|line| line.contains(until)) {
                return lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            }
            assert!(Instant::now() < deadline, "nothing says {until:?} of {id}: {lines:#?} of {:#?}", self.all());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[actix_rt::test]
async fn the_log_is_text_for_people_where_that_is_set() {
    let hub = Talkative::start("text").await;
    hub.request("GET", "/healthz").send().await;
    let ready = hub.line("the hub is ready").await;
    assert!(serde_json::from_str::<Value>(&ready).is_err() && ready.contains("INFO") && !ready.contains('\u{1b}'), "{ready}");
}

#[actix_rt::test]
async fn every_answer_has_an_id_and_a_fit_one_of_the_caller_is_kept() {
    let hub = crate::hub::TestHub::shared().await;
    for (theirs, is_kept) in
        [("abc-123_X.y", true), (&"x".repeat(64), true), (&"x".repeat(65), false), ("a b", false), ("a\"b", false)]
    {
        let answer = hub.request("GET", "/api/v1/me").header("X-Request-Id", theirs).send().await;
        let body = answer.refused(401, "unauthenticated");
        let id = answer.header("x-request-id").expect("an id");
        assert_eq!(id == theirs, is_kept, "{theirs:?} became {id:?}");
        assert_eq!(body["request_id"], id, "{body}");
    }
    for path in ["/", "/healthz", "/api/docs", "/nothing.js"] {
        let ids = [hub.request("GET", path).send().await, hub.request("GET", path).send().await];
        let [one, two] = ids.map(|answer| answer.header("x-request-id").expect("an id").to_owned());
        assert!(one != two && one.len() == 32, "{path}: {one} {two}");
    }
}
