//! Bodies that make no sense: each is refused with the status and code of the contract, and nothing happens.

use serde_json::json;

use crate::hub::TestHub;

#[tokio::test]
async fn bytes_that_do_not_decode_are_bad_frames() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let deep = format!(r#"{{"title":"t","description":"d","x":{}1{}}}"#, "[".repeat(40), "]".repeat(40));
    let very_deep = "[".repeat(100_000);
    let bodies: [(&str, &[u8]); 14] = [
        ("empty", b""),
        ("broken off", br#"{"title":"t""#),
        ("not JSON", b"title=t"),
        ("not a map", b"[]"),
        ("null", b"null"),
        ("trailing bytes", br#"{"title":"t","description":"d"} {}"#),
        ("a key twice", br#"{"title":"t","description":"d","title":"u"}"#),
        ("a key twice inside", br#"{"title":"t","description":"d","x":{"a":1,"a":2}}"#),
        ("not UTF-8", b"{\"title\":\"\xff\",\"description\":\"d\"}"),
        ("half a surrogate", br#"{"title":"\ud800","description":"d"}"#),
        ("a byte order mark", b"\xef\xbb\xbf{\"title\":\"t\",\"description\":\"d\"}"),
        ("a number without end", br#"{"title":1e999,"description":"d"}"#),
        ("deep", deep.as_bytes()),
        ("very deep", very_deep.as_bytes()),
    ];
    for (what, body) in bodies {
        let answer = hub.api(&ana, "POST", "/tickets").key("k").body("application/json", body).send().await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        answer.refused(400, "bad_frame");
    }
}

#[tokio::test]
async fn wrong_fields_are_all_named() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let long = "x".repeat(501);
    for (what, body, fields) in [
        ("missing", json!({}), vec!["description", "title"]),
        ("mistyped", json!({"title": 7, "description": ["d"], "priority": "urgent"}), vec!["description", "priority", "title"]),
        ("empty", json!({"title": " \n", "description": ""}), vec!["description", "title"]),
        ("too long and more", json!({"title": long, "description": ""}), vec!["description", "title"]),
        ("NUL", json!({"title": "a\u{0}b", "description": "d"}), vec!["title"]),
        ("unknown", json!({"title": "t", "description": "d", "workspace_id": "x", "seq": 1}), vec!["seq", "workspace_id"]),
        (
            "mass assignment",
            json!({"title": "t", "description": "d", "id": "x", "requester": {}, "role": "owner", "tenant_id": "x"}),
            vec!["id", "requester", "role", "tenant_id"],
        ),
    ] {
        let answer = hub.api(&ana, "POST", "/tickets").key("k").json(&body).send().await;
        let told = answer.refused(422, "invalid");
        let named: Vec<_> = told["fields"].as_object().expect("a map").keys().cloned().collect();
        assert_eq!(named, fields, "{what}");
    }
    let only_too_long = json!({"title": long, "description": "d"});
    let told = hub.api(&ana, "POST", "/tickets").key("k").json(&only_too_long).send().await.refused(413, "too_large");
    assert!(told["fields"]["title"].is_string(), "{told}");
    let cleo = hub.token("acme", "cleo@customer.test").await;
    let body = json!({"title": "t", "description": "d", "priority": "p1"});
    let told = hub.api(&cleo, "POST", "/tickets").key("k").json(&body).send().await.refused(422, "invalid");
    assert!(told["fields"]["priority"].is_string(), "{told}");
}

#[tokio::test]
async fn only_plain_json_of_a_bounded_size_is_read() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let body = br#"{"title":"t","description":"d"}"#;
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", ""]
    {
        let answer = hub.api(&ana, "POST", "/tickets").key("k").body(content_type, body).send().await;
        assert_eq!(answer.status, 415, "{content_type}: {}", answer.text());
    }
    let packed = hub.api(&ana, "POST", "/tickets").key("k").header("Content-Encoding", "gzip").body("application/json", body);
    assert_eq!(packed.send().await.status, 415);
    let charset =
        hub.api(&ana, "POST", "/tickets").key(&uuid::Uuid::new_v4().to_string()).body("application/json; charset=utf-8", body);
    charset.send().await.expect(201);
    let big = format!(r#"{{"title":"t","description":"{}"}}"#, "x".repeat(256 * 1024));
    let answer = hub.api(&ana, "POST", "/tickets").key("k").body("application/json", big.as_bytes()).send().await;
    answer.refused(413, "too_large");
    let announced = hub.request("POST", "/api/v1/tickets").bearer(&ana).key("k").header("Transfer-Encoding", "chunked");
    let chunk = format!("{:x}\r\n{big}\r\n0\r\n\r\n", big.len());
    let answer = announced.chunked("application/json", chunk.as_bytes()).send().await;
    answer.refused(413, "too_large");
}

#[tokio::test]
async fn text_is_kept_to_the_code_point() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let texts = [
        "e\u{301} is not é",
        "\u{202e}rtl\u{202c} שלום",
        "👩‍👩‍👧‍👦 🇺🇳",
        "tab\tline\r\nend ",
        "\u{feff}bom",
        "<script>&amp;\\u0041",
        "\u{10ffff}\u{1}",
    ];
    for text in texts {
        let new = json!({"title": format!("x{text}"), "description": text});
        let ticket =
            hub.api(&ana, "POST", "/tickets").key(&uuid::Uuid::new_v4().to_string()).json(&new).send().await.expect(201);
        let path = format!("/tickets/{}", ticket["id"].as_str().expect("an id"));
        let read = hub.api(&ana, "GET", &path).send().await.expect(200);
        assert_eq!((read["title"].as_str(), read["description"].as_str()), (Some(format!("x{text}").as_str()), Some(text)));
        let log = hub.api(&ana, "GET", &format!("{path}/events")).send().await.expect(200);
        assert_eq!(log["events"][0]["event"]["description"], text);
    }
}
