//! Pages of made-up reports: they hold what they must, need nothing from elsewhere, and survive reports nobody foresaw.

use serde_json::{Value, json};

use super::super::Spread;
use super::compare::{Side, as_text};
use super::{compare, page};

fn report(rate: f64, base_us: u64) -> Value {
    let spread = |factor: u64| serde_json::to_value(Spread::of_us((1..=500).map(|n| n * factor * base_us))).expect("plain");
    let seconds: Vec<Value> = (1..=20)
        .map(|s| json!({"at_s": s, "sent": 100 + s, "acked": 100, "delivered": 300, "refused": s % 3, "live": 30}))
        .collect();
    json!({
        "scenario": "thread",
        "made": {"version": "0.1.0", "protocol": 1, "command": ["loadtest", "thread", "--tokens", "<t>"], "at": "2026-01-02T03:04:05.678Z",
                 "machine": {"processors": 2, "model": "made up", "memory_bytes": 1_073_741_824_u64, "kernel": "linux 6"}},
        "load": {"urls": ["ws://127.0.0.1:1/ws"], "tickets": 10, "clients": 30, "rate_per_s": rate, "measured_s": 20.0, "codec": "json", "seed": 7},
        "hubs": [{"node": "hub-1", "heartbeat_ms": 20_000, "limits": {"depth": 16, "commands_in_flight": 16}}],
        "replies": {"offered": 2000, "acked": 1990, "acked_per_s": 99.5, "acked_within_1s_share": 0.995, "refusals": {"stale": 12, "busy": 3}},
        "ack_ms": spread(10), "delivery_ms": spread(14), "deliveries_per_s": 298.5,
        "connections": {"cut_by_driver": 0, "events": 6000, "closes": {}},
        "driver": {"tick_lag_ms": spread(1), "was_bottleneck": false},
        "series": {"began": "2026-01-02T03:03:45.000Z", "parts": [[1.0, "rising"], [4.0, "steady"], [18.0, "settling"]], "seconds": seconds},
        "own": {"storm": {"rounds": [{"resume_ms": spread(5), "attempts": 6007}, {"name": "second", "attempts": 6008}]},
                "collide": {"manner": "walk", "actions": {"take_claim": 4711}, "claim_ms": spread(7)}},
        "unmet": [],
        "tomorrow": {"sockets": 5000, "hello_ms": spread(3)},
        "breaches": []
    })
}

#[test]
fn a_page_holds_what_was_measured_and_needs_nothing_from_elsewhere() {
    let page = page(&report(100.0, 100));
    for words in [
        "Every guarantee held",
        "commands in flight",
        "seed 7",
        "loadtest thread --tokens &lt;t&gt;",
        "Commands per second",
        "stale",
        "99.5 %",
        "prefers-color-scheme: dark",
        "tomorrow · hello",
        "collide · claim",
        "actions · take claim",
        "4,711",
        "5,000",
        "role=\"img\"",
        "The figures behind it",
        "made up",
    ] {
        assert!(page.contains(words), "{words}");
    }
    for outside in ["http:", "https:", "<script", "<link", "@import", "url(", "<t>"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert!(!page.contains("NaN") && !page.contains("inf\""), "numbers only");
}

#[test]
fn a_page_tells_a_broken_guarantee_before_anything_else() {
    let mut broken = report(100.0, 100);
    broken["breaches"] = json!(["ticket:1 <seq> 3: gone"]);
    broken["driver"]["was_bottleneck"] = json!(true);
    broken["unmet"] = json!(["2 sockets were not cut"]);
    let page = page(&broken);
    assert!(page.contains("Not met") && page.contains("2 sockets were not cut"));
    assert!(page.contains("1 breaches") && page.contains("ticket:1 &lt;seq&gt; 3: gone"));
    assert!(page.contains("The driver was too slow") && !page.contains("Every guarantee held"));
}

#[test]
fn a_report_of_another_kind_is_shown_as_far_as_it_goes() {
    let page = page(
        &json!({"scenario": "connect", "connect": {"sockets": 7, "bytes_each": null, "list": [1, 2]}, "ack_ms": Spread::default()}),
    );
    assert!(
        page.contains("connect") && page.contains("1, 2") && !page.contains("<svg") && !page.contains("guarantee"),
        "{page}"
    );
}

#[test]
fn two_runs_are_laid_over_each_other_and_differing_plans_are_marked() {
    let (first, second) = (report(100.0, 100), report(200.0, 150));
    let (a, b) = (Side { name: "a.json", report: &first }, Side { name: "b.json", report: &second });
    let page = compare::page(a, b);
    assert!(page.contains("The plans differ</b> in rate per s.") && page.contains("class=\"differs\""));
    assert!(page.contains("1.5 ×") && page.contains("class=\"outline\""));
    let text = as_text(a, b);
    assert!(text.contains("THE PLANS DIFFER:\n  rate per s: 100 | 200"), "{text}");
    assert!(text.lines().any(|line| line.contains("tomorrow · sockets") && line.contains("1 ×")), "{text}");
    assert!(text.lines().any(|line| line.contains("ack, 50 %") && line.contains("1.5 ×")), "{text}");
    assert!(as_text(a, a).contains("the plans are the same") && compare::page(a, a).contains("The same plan"));
}
