//! Handing over, tags, following and claims by REST: the same rules as on the socket, and who may not is told so.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture;
use crate::hub::TestHub;

struct Desk {
    hub: &'static TestHub,
    ana: String,
    bo: String,
    cleo: String,
    id: String,
}

impl Desk {
    async fn open() -> Self {
        let hub = TestHub::shared().await;
        let (ana, bo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "bo@acme.test").await);
        let cleo = hub.token("acme", "cleo@customer.test").await;
        let ticket = hub.ticket(&cleo, "Together").await;
        Self { hub, ana, bo, cleo, id: ticket["id"].as_str().expect("an id").to_owned() }
    }

    async fn ask(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> crate::http::Answer {
        let request = self.hub.api(token, method, &format!("/tickets/{}{path}", self.id)).key(&Uuid::new_v4().to_string());
        match body {
            Some(body) => request.json(&body).send().await,
            None => request.send().await,
        }
    }

    async fn view(&self) -> Value {
        self.ask(&self.ana, "GET", "", None).await.expect(200)
    }
}

#[actix_rt::test]
async fn a_handover_assigns_stays_pinned_and_is_acknowledged() {
    let desk = Desk::open().await;
    let bos = fixture::person("bo@acme.test");
    let both = json!({"to_id": bos, "to_team_id": bos, "note": "n"});
    desk.ask(&desk.ana, "POST", "/handoff", Some(both)).await.refused(422, "invalid");
    desk.ask(&desk.ana, "POST", "/handoff", Some(json!({"to_id": bos, "note": " "}))).await.refused(422, "invalid");
    let handoff = json!({"to_id": bos, "note": "She has called twice."});
    desk.ask(&desk.cleo, "POST", "/handoff", Some(handoff.clone())).await.refused(403, "forbidden");
    assert_eq!(desk.ask(&desk.ana, "POST", "/handoff", Some(handoff)).await.expect(201), json!({"seq": 2}));
    let view = desk.view().await;
    assert_eq!((&view["assignee_id"], &view["handoff"]["note"]), (&json!(bos), &json!("She has called twice.")));
    assert_eq!(view["handoff"]["from"]["name"], "Ana Agent");
    let customers = desk.hub.api(&desk.cleo, "GET", &format!("/tickets/{}", desk.id)).send().await.expect(200);
    assert!(customers.get("handoff").is_none() && customers.get("watcher_ids").is_none(), "{customers}");
    desk.ask(&desk.bo, "POST", "/handoff/acknowledgement", None).await.expect(201);
    assert!(desk.view().await.get("handoff").is_none());
}

#[actix_rt::test]
async fn tags_merge_and_are_kept_in_order() {
    let desk = Desk::open().await;
    let change = |add: &[&str], remove: &[&str]| Some(json!({"add": add, "remove": remove}));
    desk.ask(&desk.ana, "POST", "/tags", change(&["Printer ", "vip"], &[])).await.expect(201);
    desk.ask(&desk.bo, "POST", "/tags", change(&["fire", "vip"], &["smoke"])).await.expect(201);
    assert_eq!(desk.view().await["tags"], json!(["fire", "printer", "vip"]));
    desk.ask(&desk.bo, "POST", "/tags", change(&["a"], &["a"])).await.refused(422, "invalid");
    let many: Vec<String> = (0..50).map(|n| format!("tag {n}")).collect();
    desk.ask(&desk.bo, "POST", "/tags", Some(json!({"add": many}))).await.refused(422, "invalid");
    desk.ask(&desk.cleo, "POST", "/tags", change(&["mine"], &[])).await.refused(403, "forbidden");
}

#[actix_rt::test]
async fn who_follows_is_told_of_what_others_write() {
    let desk = Desk::open().await;
    desk.ask(&desk.bo, "PUT", "/watch", Some(json!({"on": true}))).await.expect(200);
    assert_eq!(desk.view().await["watcher_ids"], json!([fixture::person("bo@acme.test")]));
    let note = json!({"body": "Have a look.", "audience": "internal"});
    desk.ask(&desk.ana, "POST", "/comments", Some(note)).await.expect(201);
    let told = desk.hub.api(&desk.bo, "GET", "/me/notifications").send().await.expect(200);
    let of_this = |one: &&Value| one["event"]["ticket_id"] == desk.id.as_str();
    let told: Vec<_> = told["notifications"].as_array().expect("a list").iter().filter(of_this).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["event"]["reason"], "watched");
}

#[actix_rt::test]
async fn a_claim_keeps_others_from_answering_unless_they_insist() {
    let desk = Desk::open().await;
    desk.ask(&desk.ana, "PUT", "/claim", Some(json!({}))).await.expect(200);
    let reply = json!({"body": "Hello", "audience": "public", "based_on": 2});
    let refused = desk.ask(&desk.bo, "POST", "/comments", Some(reply.clone())).await.refused(409, "claimed");
    assert_eq!(refused["by"]["name"], "Ana Agent");
    assert!(refused["until"].is_string(), "{refused}");
    desk.ask(&desk.bo, "PUT", "/claim", Some(json!({}))).await.refused(409, "claimed");
    desk.ask(&desk.bo, "DELETE", "/claim", None).await.refused(409, "claimed");
    desk.ask(&desk.bo, "PUT", "/claim", Some(json!({"force": true}))).await.expect(200);
    desk.ask(&desk.bo, "POST", "/comments", Some(json!({"body": "Hello", "audience": "public", "based_on": 3})))
        .await
        .expect(201);
    desk.ask(&desk.ana, "PUT", "/claim", Some(json!({}))).await.expect(200);
    desk.ask(&desk.bo, "DELETE", "/claim?force=true", None).await.expect(200);
    desk.ask(&desk.cleo, "PUT", "/claim", Some(json!({}))).await.refused(403, "forbidden");
}
