//! What mutations begin with: the golden bytes of every client frame, and well-formed examples of everything else.

use std::path::Path;

/// The corpus of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "client_frame_json" => golden("json"),
        "client_frame_msgpack" => golden("msgpack"),
        "frame_judge" => socket_bytes(),
        "fragments" => [golden("json"), texts(&["aé€𝕳z", "\u{7ff}\u{800}\u{ffff}\u{10ffff}"])].concat(),
        "rest_bodies" => [golden("json"), bodies()].concat(),
        "rest_queries" => texts(&[
            "status=open,closed&status=open&assignee_id=me&created_from=2026-01-02T00:00:00Z&limit=7",
            "after=7&limit=100",
            "before=9007199254740991",
            "assignee_id=01900000-0000-7000-8000-000000000004&cursor=AAABmrwzgYcAAAAAAAAAAAAAAAAAAABN",
            "status=a%20b&limit=%31",
        ]),
        "cursors_and_tags" => texts(&[
            "AAABmrwzgYcAAAAAAAAAAAAAAAAAAABN",
            "\"7\"",
            "W/\"9007199254740991\"",
            "2026-01-02T03:04:05.678Z",
            "2026-01-02T03:04:05+05:45",
            "-009999-01-01T00:00:00Z",
            "9999-12-30T22:00:00.999999999Z",
        ]),
        _ => {
            let secret = "A".repeat(43);
            texts(&[&format!("tdm_{}_{secret}", "0".repeat(32)), &format!("tdm_0190000000007000800000000000abcd_{secret}")])
        }
    }
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The golden bytes of the clients' frames.
fn golden(codec: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hub/core/tests/golden");
    let files = std::fs::read_dir(&folder).expect("the golden bytes are in the checkout");
    let mut paths: Vec<_> = files.map(|file| file.expect("readable").path()).collect();
    paths.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("client_") && name.ends_with(&format!(".{codec}"))
    });
    // The same order everywhere: the seed decides, and nothing else.
    paths.sort();
    assert!(paths.len() > 10, "{} in {}", paths.len(), folder.display());
    paths.iter().map(|path| std::fs::read(path).expect("readable")).collect()
}

fn bodies() -> Vec<Vec<u8>> {
    texts(&[
        r#"{"workspace":"acme","email":"ana@acme.test","password":"demo","grant":"token"}"#,
        r#"{"title":"Printer on fire","description":"It *burns*.","priority":"p2"}"#,
        r#"{"body":"Hé","audience":"public","based_on":41,"force":true,"then_status":"resolved"}"#,
        r#"{"based_on":41,"status":"open","note":"done","assignee_id":null,"team_id":null,"title":"x","custom":{"a":[1.5,-0.0]}}"#,
        r#"{"body":"Hé","audience":"internal","hold_ms":30000,"mention_ids":["01900000-0000-7000-8000-000000000004"]}"#,
        r#"{"body":"","based_on":41,"revision":7}"#,
        r#"{"to_id":"01900000-0000-7000-8000-000000000004","note":"Yours","with_draft":true}"#,
        r#"{"to_team_id":"01900000-0000-7000-8000-000000000004","note":"Yours"}"#,
        r#"{"add":["Drucker "," ÄRGER","drucker"],"remove":["vpn"]}"#,
        &format!(r#"{{"add":["{}"]}}"#, "İ".repeat(25)),
        r#"{"due_at":"2026-01-02T03:04:05.678Z","scheduled_at":null,"urgency":"high","priority":"p1","category_id":null}"#,
    ])
}

/// Frames as a client sends them: whole, in fragments, with control frames in between, at the edges of the lengths.
fn socket_bytes() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = golden("json").iter().map(|body| frame(0x81, body)).collect();
    let sized = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537].map(|length| frame(0x82, &vec![0x61; length]));
    all.extend(sized);
    all.push([frame(0x01, b"{"), frame(0x89, b"ping"), frame(0x00, b""), frame(0x80, b"}")].concat());
    all.push([frame(0x02, &[0; 40_000]), frame(0x80, &[0; 25_536])].concat());
    all.push([frame(0x8a, b""), frame(0x88, b"\x03\xe8bye"), frame(0x81, b"late")].concat());
    all.push(vec![0x82, 0xff, 0, 0, 0, 0, 0x19, 0, 0, 0, 1, 2, 3, 4]);
    all
}

fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match body.len() {
        0..126 => bytes.push(0x80 | u8::try_from(body.len()).expect("small")),
        126..65_536 => {
            bytes.push(0xfe);
            bytes.extend(u16::try_from(body.len()).expect("small").to_be_bytes());
        }
        _ => {
            bytes.push(0xff);
            bytes.extend((body.len() as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(body);
    bytes
}
