//! The topic `me`: whom it concerns is told, on every device, durably; what is read on one device is read on all.

use hub_core::wire::Codec;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::person;
use crate::hub::TestHub;
use crate::socket::Socket;

/// A hub of its own: people are told of whatever happens in it.
struct Story {
    hub: TestHub,
    ana: String,
    bo: String,
    cleo: String,
    ticket: Value,
}

impl Story {
    async fn begin() -> Self {
        let hub = TestHub::start().await;
        let ana = hub.token("acme", "ana@acme.test").await;
        let bo = hub.token("acme", "bo@acme.test").await;
        let cleo = hub.token("acme", "cleo@customer.test").await;
        let ticket = hub.ticket(&cleo, "The door does not open").await;
        Self { hub, ana, bo, cleo, ticket }
    }

    async fn socket(&self, token: &str) -> Socket {
        Socket::greet(self.hub.address(), Codec::MsgPack, token).await
    }

    async fn mine(&self, token: &str) -> (Socket, Value) {
        let mut socket = self.socket(token).await;
        let subscribed = socket.ask(json!({"type": "subscribe", "topic": "me"})).await;
        assert_eq!((&subscribed["type"], &subscribed["topic"]), (&json!("subscribed"), &json!("me")), "{subscribed}");
        (socket, subscribed)
    }

    async fn assign_to(&self, by: &str, whom: &str) {
        let path = format!("/tickets/{}", self.ticket["id"].as_str().expect("an id"));
        let key = Uuid::new_v4().to_string();
        let change = json!({"assignee_id": person(whom)});
        self.hub.api(by, "PATCH", &path).key(&key).json(&change).send().await.expect(200);
    }

    async fn says(&self, by: &str, body: &str) {
        let reply = json!({"body": body, "audience": "public", "force": true});
        self.hub.comment(by, &self.ticket, reply).await.expect(201);
    }

    fn id(&self) -> &Value {
        &self.ticket["id"]
    }
}

#[actix_rt::test]
async fn an_agent_is_told_of_assignments_mentions_and_answers_and_the_customer_of_answers() {
    let story = Story::begin().await;
    let (mut bo, first) = story.mine(&story.bo).await;
    assert_eq!((&first["seq"], &first["reset"], &first["snapshot"]["events"]), (&json!(0), &json!(true), &json!([])));
    let (mut cleo, _) = story.mine(&story.cleo).await;

    story.assign_to(&story.ana, "bo@acme.test").await;
    let told = bo.event().await;
    assert_eq!((&told["topic"], &told["seq"], &told["by"]["name"]), (&json!("me"), &json!(1), &json!("Ana Agent")));
    let expected = json!({"type": "notified", "reason": "assigned", "ticket_id": story.id(), "number": story.ticket["number"],
        "title": "The door does not open", "ticket_seq": 2});
    assert_eq!(told["event"], expected);

    let note = json!({"body": "Bo, *look*.", "audience": "internal", "mention_ids": [person("bo@acme.test")]});
    story.hub.comment(&story.ana, &story.ticket, note).await.expect(201);
    let told = bo.event().await;
    assert_eq!(
        (&told["seq"], &told["event"]["reason"], &told["event"]["excerpt"]),
        (&json!(2), &json!("mentioned"), &json!("Bo, *look*."))
    );

    story.says(&story.ana, "It opens on Monday.").await;
    assert_eq!(bo.event().await["event"]["ticket_seq"], 4);
    let told = cleo.event().await;
    // The note and the assignment are no gap for her: neither in what she is told nor in the ticket's numbers.
    assert_eq!(
        (&told["seq"], &told["event"]["reason"], &told["event"]["ticket_seq"]),
        (&json!(1), &json!("replied"), &json!(2))
    );
    assert_eq!((&told["by"]["name"], &told["event"]["excerpt"]), (&json!("Ana Agent"), &json!("It opens on Monday.")));

    let thread = story.hub.api(&story.cleo, "GET", &format!("/tickets/{}/events", story.id().as_str().expect("an id")));
    assert!(!thread.send().await.expect(200).to_string().contains("mentions"), "customers see no mentions");
}

#[actix_rt::test]
async fn notifications_survive_the_hub_and_are_resumed_exactly() {
    let story = Story::begin().await;
    story.assign_to(&story.ana, "bo@acme.test").await;
    let (mut bo, first) = story.mine(&story.bo).await;
    assert_eq!(first["seq"], 1);
    story.says(&story.cleo, "Hello?").await;
    assert_eq!(bo.event().await["seq"], 2);
    let (bos_token, cleos, ticket) = (story.bo.clone(), story.cleo.clone(), story.ticket.clone());
    let (ended, database) = story.hub.leave().await;
    ended.expect("ends well");

    let hub = TestHub::serve(database, &[]).await;
    let late = json!({"body": "Anybody?", "audience": "public"});
    hub.comment(&cleos, &ticket, late).await.expect(201);
    let mut bo = Socket::greet(hub.address(), Codec::Json, &bos_token).await;
    let resumed = bo.ask(json!({"type": "subscribe", "topic": "me", "after": 2, "stream": first["stream"]})).await;
    assert_eq!((&resumed["seq"], &resumed["events"][0]["seq"]), (&json!(3), &json!(3)), "{resumed}");
    assert_eq!(resumed["events"].as_array().map(Vec::len), Some(1));
    assert_eq!(resumed["events"][0]["event"]["excerpt"], "Anybody?");
}

#[actix_rt::test]
async fn what_is_read_on_one_device_is_read_on_the_other_and_after_coming_back() {
    let story = Story::begin().await;
    story.assign_to(&story.ana, "bo@acme.test").await;
    let ((mut phone, _), (mut desktop, _)) = (story.mine(&story.bo).await, story.mine(&story.bo).await);
    let read = phone.ask(json!({"type": "mark_read", "ticket_id": story.id(), "seq": 2})).await;
    assert_eq!((&read["type"], &read["seq"]), (&json!("ack"), &Value::Null), "{read}");
    for socket in [&mut phone, &mut desktop] {
        let signal = socket.find(|frame| frame["type"] == "signal").await;
        assert_eq!(signal["signal"], json!({"type": "read", "ticket_id": story.id(), "seq": 2}));
    }
    // By REST as well; never back.
    let path = format!("/tickets/{}/read", story.id().as_str().expect("an id"));
    let back = story.hub.api(&story.bo, "PUT", &path).json(&json!({"seq": 1})).send().await.expect(200);
    assert_eq!(back, json!({"ticket_id": story.id(), "seq": 2}));
    let (_, again) = story.mine(&story.bo).await;
    assert_eq!(again["live"]["read"], json!([{"ticket_id": story.id(), "seq": 2}]));

    let ahead = phone.ask(json!({"type": "mark_read", "ticket_id": story.id(), "seq": 3})).await;
    assert_eq!((&ahead["code"], ahead["detail"]["fields"]["seq"].is_string()), (&json!("invalid"), true), "{ahead}");
    let dan = story.hub.token("acme", "dan@customer.test").await;
    let gil = story.hub.token("globex", "gil@globex.test").await;
    let root = story.hub.token("platform", "root@platform.test").await;
    let missing = format!("/tickets/{}/read", Uuid::new_v4());
    for token in [&dan, &gil, &root] {
        let asked = |path: &str| story.hub.api(token, "PUT", path).json(&json!({"seq": 1})).send();
        let (foreign, missing) = (asked(&path).await, asked(&missing).await);
        foreign.refused(404, "not_found");
        assert_eq!(foreign.comparable(), missing.comparable(), "foreign and missing answer alike");
    }
}

#[actix_rt::test]
async fn older_notifications_are_read_page_by_page() {
    let story = Story::begin().await;
    story.assign_to(&story.ana, "bo@acme.test").await;
    for n in 2..=5 {
        story.says(&story.cleo, &format!("question {n}")).await;
    }
    let page = |query: &str| story.hub.api(&story.bo, "GET", &format!("/me/notifications{query}")).send();
    let seqs = |page: &Value| -> Vec<u64> {
        page["notifications"].as_array().expect("a list").iter().filter_map(|told| told["seq"].as_u64()).collect()
    };
    let newest = page("?limit=2").await.expect(200);
    assert_eq!((seqs(&newest), &newest["next_before"]), (vec![4, 5], &json!(4)));
    let rest = page("?before=4").await.expect(200);
    assert_eq!((seqs(&rest), &rest["next_before"]), (vec![1, 2, 3], &Value::Null));
    page("?before=-1").await.refused(422, "invalid");
    page("?after=1").await.refused(422, "invalid");
    let nobodys = story.hub.api(&story.ana, "GET", "/me/notifications").send().await.expect(200);
    assert_eq!(nobodys, json!({"notifications": [], "read": [], "next_before": null}), "what others are told is not mine");
}

#[actix_rt::test]
async fn who_may_mention_whom_is_judged() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let cleo = hub.token("acme", "cleo@customer.test").await;
    let ticket = hub.ticket(&cleo, "Whom may I call?").await;
    let mention = |ids: Value| json!({"body": "You!", "audience": "public", "force": true, "mention_ids": ids});
    let refused = |answer: crate::http::Answer| {
        assert!(answer.refused(422, "invalid")["fields"]["mention_ids"].is_string());
    };
    refused(hub.comment(&cleo, &ticket, mention(json!([person("ana@acme.test")]))).await);
    for nobody in ["cleo@customer.test", "gil@globex.test"] {
        refused(hub.comment(&ana, &ticket, mention(json!([person(nobody)]))).await);
    }
    refused(hub.comment(&ana, &ticket, mention(json!(["ana"]))).await);
    refused(hub.comment(&ana, &ticket, mention(json!(vec![Uuid::new_v4(); 21]))).await);
    hub.comment(&ana, &ticket, mention(json!([person("viewer@acme.test"), person("ana@acme.test")]))).await.expect(201);
    let mut root = Socket::greet(hub.address(), Codec::Json, &hub.token("platform", "root@platform.test").await).await;
    assert_eq!(root.ask(json!({"type": "subscribe", "topic": "me"})).await["code"], "not_found");
}
