//! Reports as files: written after a run, read again to be drawn or compared.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::Report;
use super::page::{self, compare::Side};

/// Writes a report where it is wanted: as JSON, as a page, or neither.
///
/// # Errors
/// When a file cannot be written.
pub fn save(report: &Report, json: Option<&Path>, html: Option<&Path>) -> anyhow::Result<()> {
    if let Some(path) = json {
        write(path, &serde_json::to_string_pretty(report)?)?;
    }
    if let Some(path) = html {
        write(path, &page::page(&serde_json::to_value(report)?))?;
    }
    Ok(())
}

/// Draws a saved report as a page.
///
/// # Errors
/// When it cannot be read, or the page not be written.
pub fn draw(report: &Path, output: &Path) -> anyhow::Result<()> {
    write(output, &page::page(&read(report)?))
}

/// Compares two saved reports: as text, and as a page where one is wanted.
///
/// # Errors
/// When one cannot be read, or the page not be written.
pub fn compare(first: &Path, second: &Path, output: Option<&Path>) -> anyhow::Result<String> {
    let (reports, names) = ([read(first)?, read(second)?], names(first, second));
    let [a, b] = [0, 1].map(|side| Side { name: &names[side], report: &reports[side] });
    if let Some(output) = output {
        write(output, &page::compare::page(a, b))?;
    }
    Ok(page::compare::as_text(a, b))
}

/// What to call them: by their file alone, unless both have the same.
fn names(first: &Path, second: &Path) -> [String; 2] {
    let stem = |path: &Path| path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let (a, b) = (stem(first), stem(second));
    if a == b { [first, second].map(|path| path.display().to_string()) } else { [a, b] }
}

fn read(path: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let report: Value = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))?;
    let is_report = report["scenario"].is_string();
    anyhow::ensure!(is_report, "{} is no report of this program: it names no scenario", path.display());
    Ok(report)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_same_name_are_called_by_their_folder_too() {
        let names = |a: &str, b: &str| names(Path::new(a), Path::new(b));
        assert_eq!(names("x/before.json", "y/after.json"), ["before", "after"]);
        assert_eq!(names("x/r.json", "y/r.json"), ["x/r.json", "y/r.json"]);
    }
}
