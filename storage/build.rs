//! Embedded migrations are read at build time: a new file must build this crate anew.

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
}
