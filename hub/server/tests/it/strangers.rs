//! The stranger's client of the docs: written from the protocol's page alone, run against a real hub.

use std::path::Path;
use std::process::Stdio;

use crate::hub::TestHub;

#[actix_rt::test]
async fn the_python_client_of_the_docs_signs_in_replies_and_resumes() {
    let hub = TestHub::start().await;
    let cleo = hub.token("acme", "cleo@customer.test").await;
    let ticket = hub.ticket(&cleo, "A stranger answers").await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/client.py");
    let run = tokio::process::Command::new("python3")
        .arg(&script)
        .args([&hub.url(), "acme", "ana@acme.test", crate::fixture::PASSWORD, ticket["id"].as_str().expect("an id")])
        .stdin(Stdio::null())
        .output();
    let output = tokio::time::timeout(crate::socket::PATIENCE, run).await.expect("ends by itself").expect("python3 is there");
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{words}\n{}", String::from_utf8_lossy(&output.stderr));
    let ana = hub.token("acme", "ana@acme.test").await;
    let path = format!("/tickets/{}/events", ticket["id"].as_str().expect("an id"));
    let log = hub.api(&ana, "GET", &path).send().await.expect(200);
    let replies = log["events"].as_array().expect("events").iter().filter(|e| e["event"]["type"] == "reply_posted").count();
    assert!(replies >= 1, "{log}");
}
