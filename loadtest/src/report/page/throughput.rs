//! A run second by second: commands in one drawing, what was delivered in another, with the parts of the run named.

use std::fmt::Write as _;

use super::chart::{Frame, LEFT, TOP, WIDE, round_step};
use super::html::{Row, count, number, table, text};
use crate::pulse::{Second, Series};

const HEIGHT: f64 = 220.0;
/// Labels of parts closer than this would lie over each other.
const LABEL_WIDTH: f64 = 70.0;

/// One line of a drawing.
struct Line {
    words: &'static str,
    class: &'static str,
    of: fn(&Second) -> u64,
}

const COMMANDS: [Line; 3] = [
    Line { words: "sent", class: "sent", of: |second| second.sent },
    Line { words: "acked", class: "acked", of: |second| second.acked },
    Line { words: "refused", class: "refused", of: |second| second.refused },
];
const DELIVERIES: [Line; 1] = [Line { words: "event frames received", class: "delivered", of: |second| second.delivered }];
const CLIENTS: [Line; 1] = [Line { words: "clients subscribed", class: "live", of: |second| second.live }];

/// Both drawings, and the table behind them; nothing for a run of less than two seconds.
pub fn section(series: &Series) -> String {
    if series.seconds.len() < 2 {
        return String::new();
    }
    let mut page = String::from("<section><h2>Second by second</h2>");
    page += &figure("Commands per second", series, &COMMANDS, true);
    page += &figure("Deliveries per second", series, &DELIVERIES, true);
    let live: Vec<u64> = series.seconds.iter().map(|second| second.live).collect();
    // Everybody was there all the time: nothing to see.
    if live.iter().any(|n| *n != live[0]) {
        page += &figure("Clients subscribed", series, &CLIENTS, false);
    }
    page + &behind(series) + "</section>"
}

fn figure(title: &str, series: &Series, lines: &[Line], is_rate: bool) -> String {
    let values: Vec<Vec<(f64, f64)>> = lines.iter().map(|line| points(series, line, is_rate)).collect();
    let highest = values.iter().flatten().map(|(_, value)| *value).fold(0.0, f64::max);
    if highest == 0.0 {
        return String::new();
    }
    let end = series.seconds.last().map_or(1.0, |second| second.at_s);
    let frame = Frame { width: WIDE, height: HEIGHT, x: (0.0, end), y_max: highest * 1.05 };
    let mut inner = parts(&frame, series);
    for (line, points) in lines.iter().zip(&values) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{:.1},{:.1}", frame.at_x(*x), frame.at_y(*y))).collect();
        let _ = write!(inner, "<polyline class=\"line {}\" points=\"{}\"/>", line.class, path.join(" "));
    }
    let step = round_step(end * 0.6);
    let marks: Vec<_> =
        (0..).map(|n| f64::from(n) * step).take_while(|at| *at <= end).map(|at| (at, format!("{} s", number(at)))).collect();
    let words = lines.iter().zip(&values).map(|(line, points)| {
        let most = points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        format!("{}: at most {}.", line.words, number(most))
    });
    let drawing = frame.drawing(title, &words.collect::<Vec<_>>().join(" "), &marks, "", &inner);
    format!("<figure><figcaption>{}{}</figcaption>{drawing}</figure>", text(title), legend(lines))
}

/// The value of each second, at its end; per second, however long the driver took to look.
fn points(series: &Series, line: &Line, is_rate: bool) -> Vec<(f64, f64)> {
    let mut before = 0.0;
    let mut point = |second: &Second| {
        let took = (second.at_s - before).max(0.001);
        before = second.at_s;
        let value = (line.of)(second) as f64;
        (second.at_s, if is_rate { value / took } else { value })
    };
    series.seconds.iter().map(&mut point).collect()
}

/// Where each part of the run began.
fn parts(frame: &Frame, series: &Series) -> String {
    let mut marks = String::new();
    let mut free_from = LEFT;
    for (at_s, words) in series.parts.iter().filter(|(at_s, _)| *at_s <= frame.x.1) {
        let x = frame.at_x(*at_s);
        let _ = write!(marks, "<line class=\"part\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"/>", frame.floor());
        if x >= free_from && x < frame.right() - LABEL_WIDTH / 2.0 {
            let _ = write!(marks, "<text class=\"note\" x=\"{:.1}\" y=\"{:.1}\">{}</text>", x + 3.0, TOP - 8.0, text(words));
            free_from = x + LABEL_WIDTH;
        }
    }
    marks
}

fn legend(lines: &[Line]) -> String {
    if lines.len() < 2 {
        return String::new();
    }
    let items: String =
        lines.iter().map(|line| format!("<span class=\"key line-{}\">{}</span>", line.class, line.words)).collect();
    format!(" <span class=\"legend\">{items}</span>")
}

fn behind(series: &Series) -> String {
    let rows = series.seconds.iter().map(|second| {
        let cells = [second.sent, second.acked, second.refused, second.delivered, second.live].map(count).to_vec();
        Row { words: format!("{:.1} s", second.at_s), cells, is_marked: false }
    });
    let head = ["until", "sent", "acked", "refused", "events received", "subscribed"];
    format!(
        "<details><summary>The figures behind it</summary>{}</details>",
        table("Between one look and the next", &head, rows)
    )
}
