//! Which pages may act with a browser's cookie: exact origins, compared whole. No prefixes, no suffixes, no patterns.

use std::collections::BTreeSet;

/// The allow-list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    allowed: BTreeSet<String>,
}

impl Origins {
    /// The hub's own loopback addresses on `port`, and what the configuration adds.
    ///
    /// # Errors
    /// The first entry that is no origin: `scheme://host`, with a port where it is not the scheme's own, and nothing else.
    pub fn own_and(port: u16, more: &[String]) -> Result<Self, String> {
        let mut allowed: BTreeSet<String> =
            ["127.0.0.1", "localhost", "[::1]"].iter().map(|host| format!("http://{host}:{port}")).collect();
        for origin in more {
            let normal = origin.trim_end_matches('/').to_ascii_lowercase();
            if !is_origin(&normal) {
                return Err(origin.clone());
            }
            allowed.insert(normal);
        }
        Ok(Self { allowed })
    }

    /// Whether this `Origin` header is one of ours. Browsers write it in lower case and without default ports.
    pub fn allows(&self, origin: &str) -> bool {
        self.allowed.contains(origin)
    }
}

fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', '*', ' ', ',']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_origins_pass() {
        let origins = Origins::own_and(8080, &["https://Help.example/".into()]).expect("an origin");
        for own in ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080", "https://help.example"] {
            assert!(origins.allows(own), "{own}");
        }
        for foreign in [
            "null",
            "",
            "http://127.0.0.1",
            "http://127.0.0.1:80800",
            "http://127.0.0.1:8081",
            "https://127.0.0.1:8080",
            "http://127.0.0.1:8080.evil.example",
            "http://evil.example/http://127.0.0.1:8080",
            "https://help.example.evil",
            "https://evil-help.example",
            "https://help.example:444",
            "http://help.example",
            "http://localhost:8080 http://evil.example",
        ] {
            assert!(!origins.allows(foreign), "{foreign}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_when_it_is_configured() {
        for wrong in ["*", "help.example", "https://", "https://help.example/path", "https://*.example", "ftp://x"] {
            assert_eq!(Origins::own_and(1, &[wrong.into()]), Err(wrong.to_owned()));
        }
    }
}
