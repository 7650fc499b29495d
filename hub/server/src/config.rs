//! The settings of the hub: defaults, then a file, then the environment. What nobody knows is refused, with the nearest known
//! name; what is secret is never shown.

mod environment;
mod secret;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use gateway::{CookieKind, LoginLimits, MetricsToken, Origins, Rate, RateLimits, SocketLimits};
use serde::Deserialize;
use storage::StoreConfig;
use toml::{Table, Value};

use crate::logs::LogFormat;

pub use environment::NAMES_OF_OTHERS;
pub use secret::Secret;

/// The documented defaults: the list of all settings.
pub const DEFAULTS: &str = include_str!("hub.default.toml");

/// A metrics token has so many characters at least.
const SHORTEST_TOKEN: usize = 16;

/// Every setting, as it is in force.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "hub.default.toml says it for every field, and a test holds the two together")]
pub struct Config {
    pub bind: IpAddr,
    pub port: u16,
    pub data: PathBuf,
    pub web_dir: PathBuf,
    pub database_url: Secret,
    pub database_owner_url: Secret,
    pub database_connections: usize,
    pub database_batching: bool,
    pub node: String,
    pub origins: Vec<String>,
    pub secure_cookies: bool,
    pub trusted_proxies: Vec<IpAddr>,
    pub max_connections: usize,
    pub connections_per_address: usize,
    pub handshakes_per_second: u32,
    pub handshakes_burst: u32,
    pub address_requests_per_second: u32,
    pub address_requests_burst: u32,
    pub token_requests_per_second: u32,
    pub token_requests_burst: u32,
    pub user_requests_per_second: u32,
    pub user_requests_burst: u32,
    pub login_failures_per_account: NonZeroU32,
    pub login_failures_per_address: NonZeroU32,
    pub socket_heartbeat_ms: u32,
    pub socket_hello_within_ms: u32,
    pub sockets_per_user: usize,
    pub socket_frames_per_second: NonZeroU32,
    pub socket_frames_burst: NonZeroU32,
    pub socket_subscriptions: usize,
    pub socket_commands_in_flight: usize,
    pub ticket_rests_after_ms: u32,
    pub drain_notice_ms: u32,
    pub metrics_token: Secret,
    pub log: String,
    pub log_format: LogFormat,
}

impl Config {
    /// Reads the settings: the defaults, over them `file`, over that `environment` (name and value).
    ///
    /// # Errors
    /// In words for the one who starts the hub: what is wrong, and where.
    pub fn read(file: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let mut settings: Table = DEFAULTS.parse().context("the built-in defaults are broken")?;
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the file of settings {}", path.display()))?;
            let theirs: Table = text.parse().with_context(|| format!("{} is no TOML", path.display()))?;
            overlay(&mut settings, theirs).with_context(|| format!("in {}", path.display()))?;
        }
        let theirs = environment::settings(environment, &settings)?;
        overlay(&mut settings, theirs).context("in the environment")?;
        let config: Self = Value::Table(settings).try_into().context("a setting has a value it cannot have")?;
        config.check()?;
        Ok(config)
    }

    /// Where to listen.
    pub const fn address(&self) -> SocketAddr {
        SocketAddr::new(self.bind, self.port)
    }

    /// What the store is told.
    pub fn store(&self) -> StoreConfig {
        StoreConfig {
            url: self.database_url.expose().to_owned(),
            pool_size: self.database_connections,
            batching: self.database_batching,
        }
    }

    /// What the actors are told.
    pub fn tickets(&self) -> actors::Settings {
        actors::Settings { passivate_after: millis(self.ticket_rests_after_ms), ..actors::Settings::default() }
    }

    /// What the doors are told, once it is known which port was given.
    ///
    /// # Errors
    /// When an origin is none.
    pub fn doors(&self, port: u16) -> Result<gateway::Settings> {
        let origins = Origins::own_and(port, &self.origins)
            .map_err(|origin| anyhow::anyhow!("origins: {origin:?} is no origin; write scheme://host or scheme://host:port"))?;
        Ok(gateway::Settings {
            node: self.node.clone(),
            origins,
            cookie: if self.secure_cookies { CookieKind::Secure } else { CookieKind::Plain },
            web_dir: (!self.web_dir.as_os_str().is_empty()).then(|| self.web_dir.clone()),
            trusted_proxies: self.trusted_proxies.clone(),
            workers: std::thread::available_parallelism().map_or(2, usize::from),
            max_connections: self.max_connections,
            connections_per_address: self.connections_per_address,
            rates: self.rates()?,
            login: LoginLimits { per_account: self.login_failures_per_account, per_address: self.login_failures_per_address },
            sockets: SocketLimits {
                heartbeat: millis(self.socket_heartbeat_ms),
                hello_within: millis(self.socket_hello_within_ms),
                per_user: self.sockets_per_user,
                frames_per_second: self.socket_frames_per_second,
                frames_burst: self.socket_frames_burst,
                subscriptions: self.socket_subscriptions,
                commands_in_flight: self.socket_commands_in_flight,
            },
            metrics_token: (!self.metrics_token.is_empty()).then(|| MetricsToken::new(self.metrics_token.expose())),
        })
    }

    fn rates(&self) -> Result<RateLimits> {
        Ok(RateLimits {
            per_user: rate("user_requests", self.user_requests_per_second, self.user_requests_burst)?,
            per_token: rate("token_requests", self.token_requests_per_second, self.token_requests_burst)?,
            per_address: rate("address_requests", self.address_requests_per_second, self.address_requests_burst)?,
            handshakes: rate("handshakes", self.handshakes_per_second, self.handshakes_burst)?,
        })
    }

    /// The settings in force as TOML, without the secrets.
    ///
    /// # Errors
    /// Never, in practice: settings have text keys only.
    pub fn shown(&self, file: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Result<String> {
        let mut settings: Table = DEFAULTS.parse()?;
        if let Some(path) = file {
            overlay(&mut settings, std::fs::read_to_string(path)?.parse()?)?;
        }
        let theirs = environment::settings(environment, &settings)?;
        overlay(&mut settings, theirs)?;
        let secrets = [
            ("database_url", &self.database_url),
            ("database_owner_url", &self.database_owner_url),
            ("metrics_token", &self.metrics_token),
        ];
        for (name, secret) in secrets {
            settings.insert(name.into(), Value::String(format!("{secret:?}")));
        }
        Ok(toml::to_string(&settings)?)
    }

    fn check(&self) -> Result<()> {
        self.doors(self.port)?;
        if !(1..=100).contains(&self.database_connections) {
            bail!("database_connections: choose 1 to 100");
        }
        if self.max_connections == 0 {
            bail!("max_connections: a hub that accepts nobody serves nobody");
        }
        if !self.metrics_token.is_empty() && self.metrics_token.expose().len() < SHORTEST_TOKEN {
            bail!("metrics_token: at least {SHORTEST_TOKEN} characters; `openssl rand -hex 32` makes a good one");
        }
        if self.ticket_rests_after_ms < 1_000 {
            bail!("ticket_rests_after_ms: at least 1000; below that, tickets are read again and again");
        }
        if self.drain_notice_ms > 15_000 {
            bail!("drain_notice_ms: at most 15000, of the 30 s a stop may take");
        }
        if !(100..=60_000).contains(&self.socket_heartbeat_ms) {
            bail!("socket_heartbeat_ms: choose 100 to 60000");
        }
        Ok(())
    }
}

/// A rate as it is configured: 0 a second is no limit.
fn rate(name: &str, per_second: u32, burst: u32) -> Result<Option<Rate>> {
    match (NonZeroU32::new(per_second), NonZeroU32::new(burst)) {
        (None, _) => Ok(None),
        (Some(per_second), Some(burst)) => Ok(Some(Rate { per_second, burst })),
        (Some(_), None) => bail!("{name}_burst: at least 1, or nobody gets in; {name}_per_second = 0 is no limit"),
    }
}

const fn millis(ms: u32) -> Duration {
    Duration::from_millis(ms as u64)
}

/// Puts `theirs` over `settings`; a name that has no default is unknown.
fn overlay(settings: &mut Table, theirs: Table) -> Result<()> {
    for (name, value) in theirs {
        if !settings.contains_key(&name) {
            let nearest = environment::nearest(&name, settings.keys().map(String::as_str));
            bail!("there is no setting {name:?}{}", nearest.map(|n| format!("; did you mean {n:?}?")).unwrap_or_default());
        }
        settings.insert(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(environment: &[(&str, &str)]) -> Result<Config> {
        Config::read(None, environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn refused(environment: &[(&str, &str)]) -> String {
        format!("{:#}", read(environment).expect_err("should be refused"))
    }

    #[test]
    fn the_defaults_are_complete() {
        let config = read(&[]).expect("the defaults stand alone");
        assert_eq!(config.address().to_string(), "127.0.0.1:8080");
        assert!(config.database_url.is_empty());
    }

    #[test]
    fn the_environment_wins_and_says_lists_with_commas() {
        let config = read(&[
            ("TANDEM_PORT", "0"),
            ("TANDEM_BIND", "::1"),
            ("TANDEM_ORIGINS", "https://a.example, https://b.example"),
            ("TANDEM_SECURE_COOKIES", "true"),
            ("DATABASE_URL", "postgres://app:secret@db/tandem"),
            ("HOME", "/root"),
        ]);
        let config = config.expect("well-formed");
        assert_eq!(config.address().to_string(), "[::1]:0");
        assert_eq!(config.origins, ["https://a.example", "https://b.example"]);
        assert!(config.secure_cookies);
        assert_eq!(config.database_url.expose(), "postgres://app:secret@db/tandem");
    }

    #[test]
    fn a_file_stands_between_the_defaults_and_the_environment() {
        let path = std::env::temp_dir().join(format!("tandem-settings-{}.toml", std::process::id()));
        let with = |text: &str| {
            std::fs::write(&path, text).expect("a temporary file");
            Config::read(Some(&path), [("TANDEM_PORT".to_owned(), "9".to_owned())])
        };
        let config = with("port = 7\nnode = \"north\"\n").expect("well-formed");
        assert_eq!((config.port, config.node.as_str(), config.max_connections), (9, "north", 10_000));
        let typo = format!("{:#}", with("max_conections = 7\n").expect_err("no such setting"));
        assert!(typo.contains("max_conections") && typo.contains("max_connections"), "{typo}");
        assert!(with("node = 7\n").is_err() && with("node =").is_err());
        std::fs::remove_file(&path).expect("ours");
        assert!(Config::read(Some(&path), []).is_err(), "a file that is named has to be there");
    }

    #[test]
    fn secrets_are_never_shown() {
        let environment = [
            ("DATABASE_URL", "postgres://app:hunter2@db/tandem"),
            ("TANDEM_DATABASE_OWNER_URL", "postgres://o:hunter2@db/t"),
            ("TANDEM_METRICS_TOKEN", "hunter2hunter2hunter2"),
        ];
        let owned = || environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = read(&environment).expect("well-formed");
        let shown = config.shown(None, owned()).expect("shown");
        assert!(!format!("{config:?}").contains("hunter2") && !shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("database_url = \"(set)\"") && shown.contains("port = 8080"), "{shown}");
    }

    #[test]
    fn what_nobody_knows_is_refused_with_the_nearest_name() {
        let told = refused(&[("TANDEM_PROT", "8080")]);
        assert!(told.contains("TANDEM_PROT") && told.contains("TANDEM_PORT"), "{told}");
        assert!(refused(&[("TANDEM_SOMETHING_ELSE_ENTIRELY", "1")]).contains("TANDEM_SOMETHING_ELSE_ENTIRELY"));
        for ours in NAMES_OF_OTHERS {
            assert!(read(&[(ours, "x")]).is_ok(), "{ours} belongs to the launcher");
        }
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        for (name, value) in [
            ("TANDEM_PORT", "http"),
            ("TANDEM_PORT", "65536"),
            ("TANDEM_BIND", "localhost"),
            ("TANDEM_ORIGINS", "help.example"),
            ("TANDEM_SECURE_COOKIES", "yes"),
            ("TANDEM_TRUSTED_PROXIES", "proxy"),
            ("TANDEM_LOGIN_FAILURES_PER_ACCOUNT", "0"),
            ("TANDEM_DRAIN_NOTICE_MS", "60000"),
            ("TANDEM_TICKET_RESTS_AFTER_MS", "999"),
            ("TANDEM_HANDSHAKES_BURST", "0"),
            ("TANDEM_USER_REQUESTS_PER_SECOND", "-1"),
            ("TANDEM_METRICS_TOKEN", "short"),
            ("TANDEM_LOG_FORMAT", "xml"),
        ] {
            refused(&[(name, value)]);
        }
    }
}
