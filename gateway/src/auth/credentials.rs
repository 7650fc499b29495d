//! What a request carries to prove who sends it, and where it comes from.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::settings::Settings;

/// How a token came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// `Authorization: Bearer`: sent by a program, on purpose.
    Bearer,
    /// A cookie: sent by a browser, whoever wrote the page.
    Cookie,
}

/// The token of a request. An `Authorization` header wins over a cookie, even when it makes no sense.
pub fn carried(request: &HttpRequest, settings: &Settings) -> Option<(Carrier, String)> {
    if let Some(header) = request.headers().get(header::AUTHORIZATION) {
        let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| (Carrier::Bearer, token.trim().to_owned()));
    }
    request.cookie(settings.cookie.name()).map(|cookie| (Carrier::Cookie, cookie.value().to_owned()))
}

/// Where a request comes from: the peer, or what a trusted proxy says about it.
pub fn client_address(request: &HttpRequest, settings: &Settings) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    if !settings.trusted_proxies.contains(&peer) {
        return peer;
    }
    let last = request.headers().get_all("x-forwarded-for").last();
    // The proxy appends what it saw itself; everything before that is the client's own words.
    let told = last.and_then(|header| header.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    told.unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{CookieKind, LoginLimits, RateLimits, SocketLimits};
    use actix_web::cookie::Cookie;
    use actix_web::test::TestRequest;

    fn settings() -> Settings {
        Settings {
            node: "test".into(),
            origins: crate::Origins::default(),
            cookie: CookieKind::Plain,
            web_dir: None,
            trusted_proxies: vec!["10.0.0.1".parse().expect("an address")],
            workers: 1,
            max_connections: 1,
            connections_per_address: 0,
            rates: RateLimits::default(),
            login: LoginLimits::default(),
            sockets: SocketLimits::default(),
            metrics_token: None,
        }
    }

    #[test]
    fn a_bearer_token_wins_over_a_cookie_and_nonsense_is_nobody() {
        let settings = settings();
        let with = |authorization: Option<&str>| {
            let request = TestRequest::default().cookie(Cookie::new("tandem", "from the cookie"));
            let request = match authorization {
                Some(value) => request.insert_header((header::AUTHORIZATION, value)),
                None => request,
            };
            carried(&request.to_http_request(), &settings)
        };
        assert_eq!(with(None), Some((Carrier::Cookie, "from the cookie".into())));
        assert_eq!(with(Some("bearer t")), Some((Carrier::Bearer, "t".into())));
        assert_eq!(with(Some("Basic dGVzdA==")), None);
        assert_eq!(with(Some("t")), None);
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_own_word() {
        let settings = settings();
        let from = |peer: &str, told: &str| {
            let request = TestRequest::default()
                .peer_addr(format!("{peer}:1").parse().expect("an address"))
                .insert_header(("x-forwarded-for", told))
                .to_http_request();
            client_address(&request, &settings).to_string()
        };
        assert_eq!(from("10.0.0.1", "1.1.1.1, 2.2.2.2"), "2.2.2.2");
        assert_eq!(from("10.0.0.1", "nonsense"), "10.0.0.1");
        assert_eq!(from("10.0.0.2", "1.1.1.1"), "10.0.0.2");
    }
}
