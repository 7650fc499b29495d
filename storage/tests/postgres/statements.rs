//! Every statement is prepared by the role that runs it, and says who it is.

use std::fs;
use std::path::Path;

use storage::sql;
use tokio_postgres::NoTls;

use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_can_be_prepared_by_the_role_that_runs_it() {
    let world = World::new().await;
    let (app, driver) = tokio_postgres::connect(&world.db.app_url, NoTls).await.expect("the hub's role connects");
    tokio::spawn(driver);
    let (owner, driver) = tokio_postgres::connect(&world.db.owner_url, NoTls).await.expect("the owner connects");
    tokio::spawn(driver);
    for (path, text) in sql::ALL {
        let client = if path.starts_with("provision/") { &owner } else { &app };
        client.prepare(text).await.unwrap_or_else(|error| panic!("{path}: {error:?}"));
    }
}

#[test]
fn every_file_is_a_statement_that_tells_its_caller_its_index_and_its_locks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sql");
    let mut files = Vec::new();
    for sub in fs::read_dir(&folder).expect("there are statements") {
        let sub = sub.expect("readable").path();
        for file in fs::read_dir(&sub).expect("a folder per idea") {
            let path = file.expect("readable").path();
            files.push(path.strip_prefix(&folder).expect("inside").to_str().expect("plain names").to_owned());
        }
    }
    files.sort();
    let mut known: Vec<&str> = sql::ALL.iter().map(|(path, _)| *path).collect();
    known.sort_unstable();
    assert_eq!(files, known);
    for (path, text) in sql::ALL {
        let comment: String = text.lines().take_while(|line| line.starts_with("--")).collect();
        assert!(comment.contains("Called by:") && comment.contains("Index") && comment.contains("Locks:"), "{path}");
    }
}
