//! Text and tables as HTML; numbers as people read them.

use std::fmt::Write as _;

/// One row: what it is about, and its cells.
pub struct Row {
    pub words: String,
    pub cells: Vec<String>,
    /// Stands out: the two sides differ here.
    pub is_marked: bool,
}

impl Row {
    /// A row of one cell.
    pub fn of(words: &str, cell: String) -> Self {
        Self { words: words.to_owned(), cells: vec![cell], is_marked: false }
    }
}

impl From<(String, String)> for Row {
    fn from((words, cell): (String, String)) -> Self {
        Self::of(&words, cell)
    }
}

/// A table; nothing when it would have no rows. What it is given is text, not HTML.
pub fn table(caption: &str, head: &[&str], rows: impl Iterator<Item = Row>) -> String {
    let mut body = String::new();
    for Row { words, cells, is_marked } in rows {
        body += if is_marked { "<tr class=\"differs\">" } else { "<tr>" };
        let _ = write!(body, "<th scope=\"row\">{}</th>", text(&words));
        for cell in cells {
            let _ = write!(body, "<td>{}</td>", text(&cell));
        }
        body += "</tr>";
    }
    if body.is_empty() {
        return body;
    }
    let has_head = head.iter().any(|cell| !cell.is_empty());
    let head: String = head.iter().map(|cell| format!("<th scope=\"col\">{}</th>", text(cell))).collect();
    let head = if has_head { format!("<thead><tr>{head}</tr></thead>") } else { String::new() };
    format!("<div class=\"table\"><table><caption>{}</caption>{head}<tbody>{body}</tbody></table></div>", text(caption))
}

/// Text that is safe inside elements and quoted attributes.
pub fn text(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    for c in raw.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            other => safe.push(other),
        }
    }
    safe
}

/// A number with as many digits as it deserves: 0.42, 7.31, 42.4, 1,850.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        v if v < 0.1 => 3,
        v if v < 10.0 => 2,
        v if v < 100.0 => 1,
        _ => 0,
    };
    let plain = format!("{value:.digits$}");
    let (whole, rest) = plain.split_once('.').map_or((plain.as_str(), ""), |(whole, rest)| (whole, rest.trim_end_matches('0')));
    if rest.is_empty() { grouped(whole) } else { format!("{}.{rest}", grouped(whole)) }
}

/// A count: 1,850.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A share as a percentage: 99.7 %.
pub fn percent(share: f64) -> String {
    format!("{} %", number((share * 10_000.0).round() / 100.0))
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut out = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_grouped() {
        for (value, told) in [
            (0.0, "0"),
            (0.0421, "0.042"),
            (0.5, "0.5"),
            (7.314, "7.31"),
            (42.36, "42.4"),
            (100.0, "100"),
            (1850.4, "1,850"),
            (-12_345_678.0, "-12,345,678"),
        ] {
            assert_eq!(number(value), told);
        }
        assert_eq!((percent(0.99734), percent(1.0), count(999)), ("99.7 %".into(), "100 %".into(), "999".into()));
    }

    #[test]
    fn nothing_that_is_told_becomes_markup() {
        let row = Row::of("<b>\"x\"</b>", "a & 'b'".into());
        let table = table("<script>", &["", "<i>"], [row].into_iter());
        assert!(!table.contains("<script>") && !table.contains("<b>") && !table.contains("<i>"), "{table}");
        assert!(table.contains("&lt;b&gt;&quot;x&quot;&lt;/b&gt;") && table.contains("a &amp; &#39;b&#39;"), "{table}");
    }
}
