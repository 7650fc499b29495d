//! What drawings share: a frame with a left and a lower axis, and marks at round numbers.

use std::fmt::Write as _;

use super::html::{number, text};

/// Inner measures of a drawing, in units of its own; it grows and shrinks with the page. A drawing has the page's width or half of it.
pub const WIDE: f64 = 900.0;
pub const HALF: f64 = 440.0;
pub const LEFT: f64 = 48.0;
pub const RIGHT: f64 = 8.0;
pub const TOP: f64 = 22.0;
pub const BOTTOM: f64 = 26.0;

/// A drawing with its axes.
pub struct Frame {
    pub width: f64,
    pub height: f64,
    /// The values at the left and the right end.
    pub x: (f64, f64),
    /// The value at the upper end; the lower is zero.
    pub y_max: f64,
}

impl Frame {
    /// Where a value lies from left to right.
    pub fn at_x(&self, value: f64) -> f64 {
        LEFT + (value - self.x.0) / (self.x.1 - self.x.0) * (self.right() - LEFT)
    }

    /// Where the right end lies.
    pub fn right(&self) -> f64 {
        self.width - RIGHT
    }

    /// Where a value lies from top to bottom.
    pub fn at_y(&self, value: f64) -> f64 {
        self.floor() - value / self.y_max * (self.floor() - TOP)
    }

    /// Where zero lies.
    pub fn floor(&self) -> f64 {
        self.height - BOTTOM
    }

    /// The drawing: lines at round heights, marks along the lower axis, and what is drawn into it.
    /// `title` and `words` are for those who do not see it.
    pub fn drawing(&self, title: &str, words: &str, x_marks: &[(f64, String)], y_unit: &str, inner: &str) -> String {
        let mut svg = format!(
            "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\"><title>{}</title><desc>{}</desc>",
            self.width,
            self.height,
            text(title),
            text(title),
            text(words)
        );
        for mark in round_marks(self.y_max) {
            let y = self.at_y(mark);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"mark\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}{y_unit}</text>",
                self.right(),
                LEFT - 8.0,
                y + 4.0,
                number(mark)
            );
        }
        for (value, words) in x_marks {
            let x = self.at_x(*value);
            let anchor = if x > self.right() - 14.0 { "end" } else { "middle" };
            let _ = write!(
                svg,
                "<line class=\"tick\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
                 <text class=\"mark\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                self.floor(),
                self.floor() + 4.0,
                self.height - 6.0,
                text(words)
            );
        }
        svg + inner + "</svg>"
    }
}

/// Round numbers from zero to a highest value, four to six of them.
pub fn round_marks(highest: f64) -> Vec<f64> {
    let step = round_step(highest);
    (0..).map(|n| f64::from(n) * step).take_while(|mark| *mark <= highest * 1.0001).collect()
}

/// A round number that goes four to six times into this one, more or less.
pub fn round_step(highest: f64) -> f64 {
    let rough = (highest / 4.0).max(f64::MIN_POSITIVE);
    let decade = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|n| n * decade).find(|step| *step >= rough * 0.999).unwrap_or(rough)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_few() {
        for highest in [0.003, 0.9, 1.0, 7.0, 99.0, 1_850.0, 123_456.0] {
            let marks = round_marks(highest);
            assert!((3..=6).contains(&marks.len()), "{highest}: {marks:?}");
            assert!(marks[marks.len() - 1] <= highest * 1.0001);
        }
    }
}
