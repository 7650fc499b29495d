//! The protocol reference held to the hub: the tables of `docs/protocol.md` are made here from the Rust types of the wire, the
//! golden frames and the settings. `UPDATE=1` writes them anew; the prose between them is written by hand.
//!
//! A table begins with `<!-- table: name -->` and ends with `<!-- end -->`. What the types say is read from their source
//! ([`types`]); what the hub really does with a frame, such as which fields may be left out, is asked of the hub ([`golden`]).

mod golden;
mod tables;
mod types;

use std::fs;
use std::path::{Path, PathBuf};

use tables::TABLES;
use types::Types;

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `page` with the contents between the marks of `table` replaced.
fn with_table(page: &str, table: &str, content: &str) -> String {
    let mark = format!("<!-- table: {table} -->\n");
    let (before, rest) = page.split_once(&mark).unwrap_or_else(|| panic!("docs/protocol.md has no place for {table}: {mark}"));
    let (_, after) = rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{table} has no <!-- end -->"));
    format!("{before}{mark}\n{}\n\n<!-- end -->{after}", content.trim())
}

#[test]
fn the_tables_of_the_reference_say_what_the_types_say() {
    let path = root().join("docs/protocol.md");
    let committed = fs::read_to_string(&path).expect("the reference");
    let types = Types::read(&root());
    let fresh = TABLES.iter().fold(committed.clone(), |page, (name, draw)| with_table(&page, name, &draw(&types)));
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &fresh).expect("written");
        return;
    }
    let stale = fresh.lines().zip(committed.lines()).find(|(fresh, committed)| fresh != committed);
    assert!(
        fresh == committed,
        "docs/protocol.md is stale: run `UPDATE=1 cargo test -p hub --test reference`. First difference: {stale:#?}"
    );
}

#[test]
fn every_place_for_a_table_has_its_table() {
    let page = fs::read_to_string(root().join("docs/protocol.md")).expect("the reference");
    for name in page.lines().filter_map(|line| line.strip_prefix("<!-- table: ")?.strip_suffix(" -->")) {
        assert!(TABLES.iter().any(|(table, _)| *table == name), "nothing makes {name}");
    }
}
