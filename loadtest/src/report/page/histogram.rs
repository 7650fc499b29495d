//! Distributions as drawings: shares over a logarithmic axis of time, one filled, a second one laid over it as a line.

use std::fmt::Write as _;

use super::super::Spread;
use super::super::spread::{PER_DECADE, step_of_ms, to_ms};
use super::chart::{Frame, HALF, LEFT, TOP};
use super::html::{Row, count, number, percent, table, text};

const HEIGHT: f64 = 230.0;
/// Labels of percentiles closer than this would lie over each other.
const LABEL_WIDTH: f64 = 92.0;

/// The drawing of one distribution, or of two over each other; each with its name, empty where there is only one.
pub fn figure(words: &str, spreads: &[(&str, &Spread)]) -> String {
    let steps = || spreads.iter().flat_map(|(_, spread)| &spread.buckets).map(|bucket| bucket.step);
    let (Some(first), Some(last)) = (steps().min(), steps().max()) else { return String::new() };
    let highest = spreads.iter().flat_map(|(_, s)| s.buckets.iter().map(|b| share(s, b.count))).fold(0.0, f64::max);
    let frame = Frame {
        width: HALF,
        height: HEIGHT,
        x: (f64::from(first - 1), f64::from(last.max(first + 4))),
        y_max: highest * 100.0 * 1.05,
    };
    let mut inner = String::new();
    for (side, (_, spread)) in spreads.iter().enumerate() {
        inner += &if side == 0 { bars(&frame, spread) } else { outline(&frame, spread) };
    }
    if let [(_, only)] = spreads {
        inner += &percentile_marks(&frame, only);
    }
    let title = format!("{words}: how many took how long");
    let drawing = frame.drawing(&title, &in_words(spreads), &time_marks(first - 1, last.max(first + 4)), " %", &inner);
    format!("<figure><figcaption>{}{}</figcaption>{drawing}{}</figure>", text(words), legend(spreads), behind(spreads))
}

fn bars(frame: &Frame, spread: &Spread) -> String {
    let mut bars = String::new();
    for bucket in spread.buckets.iter().filter(|bucket| bucket.count > 0) {
        let (x, right) = (frame.at_x(f64::from(bucket.step - 1)), frame.at_x(f64::from(bucket.step)));
        // Even one sample is seen.
        let y = frame.at_y(share(spread, bucket.count) * 100.0).min(frame.floor() - 1.0);
        let (width, height) = ((right - x - 1.0).max(1.0), frame.floor() - y);
        let _ = write!(
            bars,
            "<rect class=\"bar\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"><title>up to {} ms: {} ({})</title></rect>",
            number(bucket.to_ms()),
            count(bucket.count),
            percent(share(spread, bucket.count))
        );
    }
    bars
}

fn outline(frame: &Frame, spread: &Spread) -> String {
    let mut path = String::new();
    for (index, bucket) in spread.buckets.iter().enumerate() {
        let (x, right) = (frame.at_x(f64::from(bucket.step - 1)), frame.at_x(f64::from(bucket.step)));
        let y = frame.at_y(share(spread, bucket.count) * 100.0);
        if index == 0 {
            let _ = write!(path, "M{x:.1} {:.1}", frame.floor());
        }
        let _ = write!(path, "V{y:.1}H{right:.1}");
    }
    format!("<path class=\"outline\" d=\"{path}V{:.1}\"/>", frame.floor())
}

fn percentile_marks(frame: &Frame, spread: &Spread) -> String {
    let mut marks = String::new();
    let mut free_from = LEFT;
    for (words, ms) in [("50 %", spread.p50), ("99 %", spread.p99), ("most", spread.max)] {
        let x = frame.at_x(step_of_ms(ms).clamp(frame.x.0, frame.x.1));
        // From left to right and never over each other; what finds no room stands in the table of percentiles.
        let label_x = x.max(free_from).min(frame.right() - LABEL_WIDTH);
        if label_x < free_from {
            break;
        }
        free_from = label_x + LABEL_WIDTH;
        let _ = write!(
            marks,
            "<line class=\"percentile\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"/>\
             <text class=\"note\" x=\"{:.1}\" y=\"{:.1}\">{words}: {} ms</text>",
            frame.floor(),
            label_x + 2.0,
            TOP - 8.0,
            number(ms)
        );
    }
    marks
}

/// The decades, and between them 2 and 5, or 3, when there is room.
fn time_marks(first: i32, last: i32) -> Vec<(f64, String)> {
    let decades = f64::from(last - first) / f64::from(PER_DECADE);
    let between: &[f64] = match decades {
        few if few <= 2.4 => &[1.0, 2.0, 5.0],
        some if some <= 4.0 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let lowest = to_ms(first).log10().floor();
    let mut marks = Vec::new();
    for decade in 0..=12 {
        for part in between {
            let ms = 10_f64.powf(lowest + f64::from(decade)) * part;
            let step = step_of_ms(ms);
            if step >= f64::from(first) && step <= f64::from(last) {
                marks.push((
                    step,
                    if ms >= 1_000.0 { format!("{} s", number(ms / 1_000.0)) } else { format!("{} ms", number(ms)) },
                ));
            }
        }
    }
    marks
}

fn share(spread: &Spread, count: u64) -> f64 {
    count as f64 / spread.count.max(1) as f64
}

fn in_words(spreads: &[(&str, &Spread)]) -> String {
    let words = spreads.iter().map(|(name, s)| {
        let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
        format!("{name}half within {} ms, 99 % within {} ms, the slowest {} ms.", number(s.p50), number(s.p99), number(s.max))
    });
    words.collect::<Vec<_>>().join(" ")
}

fn legend(spreads: &[(&str, &Spread)]) -> String {
    let names = spreads.iter().enumerate().filter(|(_, (name, _))| !name.is_empty());
    let items: String =
        names.map(|(side, (name, _))| format!("<span class=\"key side-{side}\">{}</span>", text(name))).collect();
    if items.is_empty() { items } else { format!(" <span class=\"legend\">{items}</span>") }
}

/// The same as a table, for those who would rather read.
fn behind(spreads: &[(&str, &Spread)]) -> String {
    let steps = spreads.iter().flat_map(|(_, spread)| spread.buckets.iter().map(|bucket| bucket.step));
    let steps: std::collections::BTreeSet<i32> = steps.collect();
    let rows = steps.into_iter().map(|step| {
        let at = |s: &Spread| s.buckets.iter().find(|bucket| bucket.step == step).map_or(0, |bucket| bucket.count);
        let cells = spreads.iter().map(|(_, spread)| count(at(spread))).collect();
        Row { words: format!("up to {} ms", number(to_ms(step))), cells, is_marked: false }
    });
    let head: Vec<&str> =
        std::iter::once("").chain(spreads.iter().map(|(name, _)| if name.is_empty() { "samples" } else { name })).collect();
    format!("<details><summary>The figures behind it</summary>{}</details>", table("Samples by time", &head, rows))
}
