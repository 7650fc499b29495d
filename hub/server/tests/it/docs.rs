//! What the hub tells those who write clients: pages that run and fetch nothing, and files to take along.

use std::fs;
use std::path::Path;

use crate::hub::TestHub;

fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[tokio::test]
async fn the_reference_and_the_api_are_pages_of_the_hub_itself_under_the_strictest_policy() {
    let hub = TestHub::shared().await;
    for (path, part) in [("/api/docs", "/api/v1/tickets/{id}"), ("/api/docs/protocol", "<h3 id=\"post_reply\">")] {
        let page = hub.request("GET", path).send().await;
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")), "{path}");
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
        let text = page.text();
        assert!(text.contains(part), "{path} lacks {part}");
        for link in ["/api/docs", "/api/docs/protocol", "/api/docs/protocol.md", "/api/docs/client.py", "/api/v1/openapi.json"]
        {
            assert!(text.contains(&format!("href=\"{link}\"")), "{path} does not lead to {link}");
            assert_eq!(hub.request("GET", link).send().await.status, 200, "{link}");
        }
        hub.request("POST", path).send().await.refused(405, "not_found");
    }
    hub.request("GET", "/api/docs/nothing").send().await.refused(404, "not_found");
}

#[tokio::test]
async fn the_reference_and_the_strangers_client_can_be_taken_along() {
    let hub = TestHub::shared().await;
    let text = hub.request("GET", "/api/docs/protocol.md").send().await;
    assert_eq!(text.header("content-type"), Some("text/markdown; charset=utf-8"));
    assert_eq!(text.text(), file("protocol.md"));
    let client = hub.request("GET", "/api/docs/client.py").send().await;
    assert_eq!(client.header("content-disposition"), Some("attachment; filename=\"client.py\""));
    assert_eq!(client.text(), file("examples/client.py"));
}
