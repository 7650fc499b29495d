//! Settings that nothing else looks at: who may read the figures, what is logged, and which limits hold.

use std::collections::BTreeSet;

use tracing_subscriber::EnvFilter;

use super::Finding;
use crate::config::Config;

/// A good token is at least so long (128 bits in hexadecimal) …
const GOOD_TOKEN: usize = 32;
/// … and of so many different characters.
const GOOD_VARIETY: usize = 8;

/// Looks at them.
pub fn examine(config: &Config) -> Vec<Finding> {
    vec![metrics(config.metrics_token.expose()), log(&config.log), limits(config)]
}

/// Never says what it is.
fn metrics(token: &str) -> Finding {
    const ABOUT: &str = "metrics";
    let variety = token.chars().collect::<BTreeSet<_>>().len();
    match token.len() {
        0 => Finding::fine(ABOUT, "off: nothing is collected, /metrics does not exist"),
        length if length < GOOD_TOKEN || variety < GOOD_VARIETY => Finding::doubtful(
            ABOUT,
            format!("the token has {length} characters, {variety} of them different: it may be guessed"),
            "TANDEM_METRICS_TOKEN=$(openssl rand -hex 32)",
        ),
        _ => Finding::fine(ABOUT, "for those who know the token"),
    }
}

fn log(filter: &str) -> Finding {
    const ABOUT: &str = "log";
    match EnvFilter::try_new(filter) {
        Ok(_) => Finding::fine(ABOUT, filter),
        Err(error) => {
            Finding::wrong(ABOUT, format!("{filter:?} is no filter: {error}"), "write it like TANDEM_LOG=info,gateway=debug")
        }
    }
}

/// Load tests lift limits; whoever serves others should not.
fn limits(config: &Config) -> Finding {
    const ABOUT: &str = "limits";
    let rates = [
        ("handshakes_per_second", config.handshakes_per_second),
        ("address_requests_per_second", config.address_requests_per_second),
        ("token_requests_per_second", config.token_requests_per_second),
        ("user_requests_per_second", config.user_requests_per_second),
    ];
    let lifted: Vec<&str> = rates.into_iter().filter(|(_, rate)| *rate == 0).map(|(name, _)| name).collect();
    if lifted.is_empty() {
        return Finding::fine(ABOUT, "every rate has one");
    }
    let what = format!("lifted: {}", lifted.join(", "));
    if config.bind.is_loopback() {
        return Finding::fine(ABOUT, format!("{what}; only this machine reaches {}", config.bind));
    }
    Finding::doubtful(
        ABOUT,
        format!("{what}: anybody may keep this hub busy"),
        "give them rates; `hub config defaults` has good ones",
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::mark;
    use super::*;

    #[test]
    fn a_token_that_may_be_guessed_is_worth_a_word_and_never_told() {
        for (token, expected) in [
            ("", "ok"),
            ("sixteen-letters!", "warn"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "warn"),
            ("0f2ad1c97b6e4c3f8a5d0f2ad1c97b6e", "ok"),
        ] {
            let finding = metrics(token);
            assert_eq!(mark(&finding), expected, "{token}");
            assert!(token.is_empty() || !finding.to_string().contains(token));
        }
    }

    #[test]
    fn lifted_limits_are_for_loopback() {
        let read = |settings: &[(&str, &str)]| {
            let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            limits(&Config::read(None, settings).expect("well-formed"))
        };
        let lifted = ("TANDEM_HANDSHAKES_PER_SECOND", "0");
        assert_eq!(mark(&read(&[])), "ok");
        assert_eq!(mark(&read(&[lifted])), "ok");
        let told = read(&[lifted, ("TANDEM_BIND", "0.0.0.0")]);
        assert_eq!(mark(&told), "warn");
        assert!(told.to_string().contains("handshakes_per_second"), "{told}");
    }
}
