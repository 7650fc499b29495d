//! Which crate may depend on which: the manifests held against the table of ARCHITECTURE.md. An arrow that is not here is a
//! conversation before it is a commit.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Package, folder, and which of our own crates it may depend on.
const HOUSE: [(&str, &str, &[&str]); 6] = [
    ("hub_core", "hub/core", &[]),
    ("storage", "storage", &["hub_core"]),
    ("actors", "actors", &["hub_core"]),
    ("gateway", "gateway", &["hub_core", "actors"]),
    ("hub", "hub/server", &["hub_core", "storage", "actors", "gateway"]),
    ("loadtest", "loadtest", &["hub_core"]),
];

/// All that the rules may use: no runtime, no driver, no clock.
const PURE: [&str; 8] = ["jiff", "rmp-serde", "serde", "serde_json", "sha2", "thiserror", "ts-rs", "uuid"];

/// Who alone may name a crate.
const AT_HOME: [(&str, &[&str]); 11] = [
    ("actix", &["actors", "gateway"]),
    ("actix-rt", &["actors", "gateway"]),
    ("actix-web", &["gateway", "hub"]),
    ("actix-http", &["gateway"]),
    ("metrics", &["storage", "actors", "gateway"]),
    ("metrics-exporter-prometheus", &["gateway"]),
    ("actix-web-actors", &["gateway"]),
    ("tokio-postgres", &["storage"]),
    ("deadpool-postgres", &["storage"]),
    ("tokio-postgres-rustls", &["storage"]),
    ("refinery", &["storage"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).parse().expect("a manifest is TOML")
}

/// Package → what it ships with. Tests may lean on more.
fn dependencies() -> BTreeMap<&'static str, Vec<String>> {
    HOUSE
        .iter()
        .map(|(package, folder, _)| {
            let manifest = manifest(folder);
            assert_eq!(manifest["package"]["name"].as_str(), Some(*package), "{folder}");
            let names = manifest["dependencies"].as_table().expect("a table").keys().cloned().collect();
            (*package, names)
        })
        .collect()
}

#[test]
fn every_crate_of_the_workspace_is_in_the_table() {
    let manifest = manifest("");
    let members = manifest["workspace"]["members"].as_array().expect("a list");
    let mut members: Vec<_> = members.iter().filter_map(toml::Value::as_str).collect();
    let mut folders: Vec<_> = HOUSE.iter().map(|(_, folder, _)| *folder).collect();
    members.sort_unstable();
    folders.sort_unstable();
    assert_eq!(members, folders);
}

#[test]
fn arrows_between_our_crates_run_as_the_table_says() {
    let ours: Vec<_> = HOUSE.iter().map(|(package, ..)| *package).collect();
    let dependencies = dependencies();
    for (package, _, allowed) in HOUSE {
        for name in dependencies[package].iter().filter(|name| ours.contains(&name.as_str())) {
            assert!(allowed.contains(&name.as_str()), "{package} must not depend on {name}");
        }
    }
}

#[test]
fn the_rules_are_pure() {
    for name in &dependencies()["hub_core"] {
        assert!(PURE.contains(&name.as_str()), "hub_core must not depend on {name}");
    }
}

#[test]
fn runtimes_and_drivers_stay_at_home() {
    for (package, names) in dependencies() {
        for (foreign, homes) in AT_HOME {
            let is_there = names.iter().any(|name| name == foreign);
            assert!(!is_there || homes.contains(&package), "{package} must not depend on {foreign}");
        }
    }
}

#[test]
fn exactly_one_file_names_the_deprecated_crate_for_sockets() {
    let mut naming = Vec::new();
    for (_, folder, _) in HOUSE {
        files_naming(&root().join(folder).join("src"), "actix_web_actors", &mut naming);
    }
    assert_eq!(naming.len(), 1, "{naming:?}");
    assert!(naming[0].ends_with("gateway/src/ws/session.rs"), "{naming:?}");
}

/// Source files with `word` outside of comments.
fn files_naming(folder: &Path, word: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            files_naming(&entry, word, found);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&entry).expect("source is text");
            let is_code = |line: &str| !line.trim_start().starts_with("//");
            if text.lines().any(|line| is_code(line) && line.contains(word)) {
                found.push(entry);
            }
        }
    }
}
