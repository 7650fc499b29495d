//! `hub doctor`, as whoever sets a hub up meets it: a healthy hub passes, and what is wrong is named together with its remedy.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::Value;
use storage::testing::TestDatabase;
use tokio::process::Command;
use uuid::Uuid;

use crate::fixture;
use crate::hub::TestHub;

/// What the doctor said, and whether all is well.
struct Said {
    text: String,
    is_well: bool,
}

impl Said {
    /// What was said about one thing, with its remedy.
    #[track_caller]
    fn about(&self, mark: &str, about: &str) -> String {
        let start = format!("{mark:<5}  {about}: ");
        let mut lines = self.text.lines().skip_while(|line| !line.starts_with(&start));
        let first = lines.next().unwrap_or_else(|| panic!("no {start:?} in\n{}", self.text));
        let remedy = lines.next().filter(|line| line.contains("to mend it: ")).unwrap_or_default();
        format!("{first}{remedy}")
    }
}

async fn doctor(database_url: &str, settings: &[(&str, &str)]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hub"));
    command.arg("doctor").env_clear().env("DATABASE_URL", database_url).env("TANDEM_PORT", "0");
    let output = command.envs(settings.iter().copied()).output().await.expect("the hub runs");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{:?}", output.status);
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.success(), !text.contains("WRONG"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    Said { is_well: output.status.success(), text }
}

#[tokio::test]
async fn a_healthy_hub_passes() {
    let db = TestDatabase::fresh().await;
    let said = doctor(&db.app_url, &[("TANDEM_MAX_CONNECTIONS", "100")]).await;
    assert!(said.is_well, "{}", said.text);
    let abouts = "database, role and tables, owner, clock, connections, port, web pages, origins, cookies, metrics, log, limits, open files";
    for about in abouts.split(", ") {
        said.about("ok", about);
    }
    let row = db.superuser().await.query_one("SELECT current_setting('fsync')::bool", &[]).await.expect("answers");
    let mark = if row.get::<_, bool>(0) { "ok" } else { "warn" };
    assert_eq!(said.about(mark, "durability").contains("fsync = on"), mark == "warn", "{}", said.text);
}

#[tokio::test]
async fn each_trouble_with_the_database_is_named_with_its_remedy() {
    let db = TestDatabase::fresh().await;
    let superuser = db.superuser().await;
    let role = |text: &str| db.app_url.replace("tandem_test_app:tandem@", text);
    for (url, about, what, remedy) in [
        (String::new(), "database", "no database is named", "DATABASE_URL="),
        ("nonsense".into(), "database", "cannot be read", "postgres://role:password@host"),
        ("postgres://a:b@127.0.0.1:1/tandem".into(), "database", "cannot be reached", "start Postgres"),
        (role("tandem_test_app:wrong@"), "database", "does not let the hub in", "role and password"),
        (db.app_url.replace(&db.name, "no_such_database"), "database", "no such database", "CREATE DATABASE"),
        (db.superuser_url.clone(), "role and tables", "superuser", "CREATE ROLE tandem_hub"),
        (db.owner_url.clone(), "role and tables", "owns the table", "DATABASE_OWNER_URL"),
    ] {
        let said = doctor(&url, &[]).await;
        let told = said.about("WRONG", about);
        assert!(told.contains(what) && told.contains(remedy) && !said.is_well, "{url}: {}", said.text);
        assert!(!said.text.contains(":wrong@") && !said.text.contains(":tandem@"), "{}", said.text);
    }
    let run = async |sql: &str| superuser.batch_execute(sql).await.expect("a change");
    run("ALTER TABLE tickets NO FORCE ROW LEVEL SECURITY").await;
    let told = doctor(&db.app_url, &[]).await.about("WRONG", "role and tables");
    assert!(told.contains("FORCE ROW LEVEL SECURITY") && told.contains("tickets"), "{told}");
    let unmigrated = format!("{}_unmigrated", db.name);
    run(&format!("CREATE DATABASE {unmigrated} TEMPLATE template0")).await;
    let said = doctor(&db.app_url.replace(&db.name, &unmigrated), &[]).await;
    run(&format!("DROP DATABASE {unmigrated} WITH (FORCE)")).await;
    let told = said.about("WRONG", "role and tables");
    assert!(told.contains("version 0") && told.contains("hub migrate"), "{told}");
}

#[tokio::test]
async fn demo_accounts_are_wrong_on_an_address_that_others_reach() {
    let db = TestDatabase::fresh().await;
    let network = [("TANDEM_BIND", "0.0.0.0")];
    doctor(&db.app_url, &network).await.about("ok", "demo accounts");
    fixture::fill(&db).await;
    let told = doctor(&db.app_url, &network).await.about("WRONG", "demo accounts");
    assert!(told.contains("owner@acme.test") && told.contains("TANDEM_BIND=127.0.0.1"), "{told}");
    doctor(&db.app_url, &[]).await.about("ok", "demo accounts");
}

#[tokio::test]
async fn each_trouble_with_the_machine_and_the_settings_is_named_with_its_remedy() {
    let db = TestDatabase::fresh().await;
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("pages-{}", Uuid::new_v4()));
    fs::create_dir(&folder).expect("a folder");
    let pages = folder.to_str().expect("plain");
    // Whoever is asked for /healthz there hears nothing: the listener never accepts, and its port is not a hub's.
    for (settings, mark, about, what, remedy) in [
        (vec![("TANDEM_PORT", port.as_str())], "WRONG", "port", "cannot listen", "TANDEM_PORT"),
        (vec![("TANDEM_BIND", "192.0.2.1")], "WRONG", "port", "cannot listen", "TANDEM_BIND"),
        (vec![("TANDEM_BIND", "0.0.0.0")], "WRONG", "cookies", "plain", "TANDEM_SECURE_COOKIES=true"),
        (vec![("TANDEM_SECURE_COOKIES", "true")], "WRONG", "origins", "no https:// origin", "TANDEM_ORIGINS"),
        (
            vec![("TANDEM_SECURE_COOKIES", "true"), ("TANDEM_ORIGINS", "https://help.example")],
            "warn",
            "cookies",
            "no proxy is trusted",
            "TANDEM_TRUSTED_PROXIES",
        ),
        (vec![("TANDEM_WEB_DIR", pages)], "WRONG", "web pages", "no readable index.html", "TANDEM_WEB_DIR"),
        (vec![("TANDEM_MAX_CONNECTIONS", "1000000000")], "warn", "open files", "at most", "ulimit -n"),
        (vec![("TANDEM_METRICS_TOKEN", "aaaaaaaaaaaaaaaaaaaa")], "warn", "metrics", "may be guessed", "openssl rand"),
        (vec![("TANDEM_LOG", "gateway=loudly")], "WRONG", "log", "is no filter", "TANDEM_LOG=info"),
        (vec![("TANDEM_DATA", "/proc/version")], "WRONG", "disk", "is no folder", "TANDEM_DATA"),
        (vec![("TANDEM_PROT", "80")], "WRONG", "settings", "TANDEM_PORT", "hub config defaults"),
        (
            vec![("TANDEM_BIND", "0.0.0.0"), ("TANDEM_HANDSHAKES_PER_SECOND", "0")],
            "warn",
            "limits",
            "handshakes_per_second",
            "give them rates",
        ),
    ] {
        let said = doctor(&db.app_url, &settings).await;
        let told = said.about(mark, about);
        assert!(told.contains(what) && told.contains(remedy), "{settings:?}: {}", said.text);
    }
    for page in ["index.html", "help.html"] {
        fs::write(folder.join(page), "<!doctype html>").expect("a page");
    }
    let told = doctor(&db.app_url, &[("TANDEM_WEB_DIR", pages)]).await.about("warn", "web pages");
    assert!(told.contains("csp.txt"), "{told}");
    fs::write(folder.join("csp.txt"), "default-src 'self'\n").expect("a policy");
    doctor(&db.app_url, &[("TANDEM_WEB_DIR", pages)]).await.about("ok", "web pages");
    fs::remove_dir_all(folder).expect("ours");
}

#[tokio::test]
async fn the_way_to_migrate_is_looked_at_where_it_is_named() {
    let db = TestDatabase::fresh().await;
    let owner = async |url: &str, mark| doctor(&db.app_url, &[("DATABASE_OWNER_URL", url)]).await.about(mark, "owner");
    assert!(owner(&db.owner_url, "ok").await.contains("may migrate"));
    assert!(owner(&db.app_url, "warn").await.contains("owns no table"));
    let told = owner("postgres://a:b@127.0.0.1:1/tandem", "warn").await;
    assert!(told.contains("no way in") && told.contains("DATABASE_OWNER_URL"), "{told}");
}

#[tokio::test]
async fn programs_are_told_the_same_as_one_object() {
    let db = TestDatabase::fresh().await;
    let ask = async |settings: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hub"));
        command.args(["doctor", "--json"]).env_clear().env("DATABASE_URL", &db.app_url).env("TANDEM_PORT", "0");
        let output = command.envs(settings.iter().copied()).output().await.expect("the hub runs");
        let said: Value = serde_json::from_slice(&output.stdout).expect("one object and nothing else");
        assert_eq!(said["is_well"], output.status.success(), "{said}");
        said
    };
    let well = ask(&[("TANDEM_MAX_CONNECTIONS", "100")]).await;
    assert_eq!(well["is_well"], true, "{well}");
    for finding in well["findings"].as_array().expect("a list") {
        let has_remedy = finding["remedy"].is_string();
        assert_eq!(has_remedy, finding["verdict"] != "ok", "{finding}");
        assert!(finding["about"].is_string() && finding["what"].is_string(), "{finding}");
    }
    let ill = ask(&[("TANDEM_BIND", "0.0.0.0")]).await;
    let cookies = ill["findings"].as_array().expect("a list").iter().find(|finding| finding["about"] == "cookies");
    assert_eq!(cookies.expect("looked at")["verdict"], "wrong", "{ill}");
    assert_eq!(ask(&[("TANDEM_PROT", "80")]).await["findings"][0]["about"], "settings");
}

#[tokio::test]
async fn a_port_that_a_hub_serves_on_is_fine() {
    let hub = TestHub::shared().await;
    let port = hub.address().port().to_string();
    let said = doctor(&hub.database().app_url, &[("TANDEM_PORT", &port)]).await;
    assert!(said.about("ok", "port").contains("already") && said.is_well, "{}", said.text);
}
