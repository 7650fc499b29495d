//! The doors: whether the hub can listen, what it shows, and whom browsers may work for.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::Finding;
use crate::config::Config;

/// How long whoever holds our port may take to answer.
const NEIGHBOUR_WITHIN: Duration = Duration::from_secs(2);

/// Looks at port, pages, origins and cookies.
pub fn examine(config: &Config) -> Vec<Finding> {
    vec![port(config.address()), web_pages(&config.web_dir), origins(config), cookies(config)]
}

fn port(address: SocketAddr) -> Finding {
    const ABOUT: &str = "port";
    match gateway::listen(address) {
        Ok(_) => Finding::fine(ABOUT, format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_a_hub(address) => {
            Finding::fine(ABOUT, format!("a hub serves on {address} already"))
        }
        Err(error) => {
            let remedy = match error.kind() {
                ErrorKind::AddrInUse => "stop the program that listens there, or choose another TANDEM_PORT",
                ErrorKind::PermissionDenied => "choose a TANDEM_PORT from 1024 on, behind a proxy, or allow the hub low ports",
                ErrorKind::AddrNotAvailable => "set TANDEM_BIND to an address of this machine",
                _ => "correct TANDEM_BIND and TANDEM_PORT",
            };
            Finding::wrong(ABOUT, format!("cannot listen on {address}: {error}"), remedy)
        }
    }
}

/// Whether whoever listens there says what a hub says.
fn is_a_hub(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, NEIGHBOUR_WITHIN)?;
        stream.set_read_timeout(Some(NEIGHBOUR_WITHIN))?;
        stream.write_all(format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut answer = Vec::new();
        stream.take(4_096).read_to_end(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"\r\n\r\nalive\n"))
}

fn web_pages(folder: &Path) -> Finding {
    const ABOUT: &str = "web pages";
    const BUILD: &str = "build the pages (`npm --prefix web run build` in a checkout) and name their folder in TANDEM_WEB_DIR";
    if folder.as_os_str().is_empty() {
        return Finding::fine(ABOUT, "none: this hub serves the API alone");
    }
    let shown = folder.display();
    match ["index.html", "help.html"].into_iter().find(|page| fs::metadata(folder.join(page)).is_err()) {
        Some(page) => Finding::wrong(ABOUT, format!("{shown} has no readable {page}"), BUILD),
        None if fs::read_to_string(folder.join("csp.txt")).is_ok_and(|policy| !policy.trim().is_empty()) => {
            Finding::fine(ABOUT, format!("{shown}, with their content security policy"))
        }
        None => Finding::doubtful(ABOUT, format!("{shown} has no csp.txt: the pages get a policy that may break them"), BUILD),
    }
}

fn origins(config: &Config) -> Finding {
    const ABOUT: &str = "origins";
    if let Err(error) = config.doors(config.port) {
        return Finding::wrong(ABOUT, format!("{error:#}"), "write each as scheme://host or scheme://host:port");
    }
    if config.secure_cookies && !config.origins.iter().any(|origin| origin.starts_with("https://")) {
        let remedy = "add the public address to TANDEM_ORIGINS, such as https://help.example";
        return Finding::wrong(
            ABOUT,
            "secure_cookies is on, but no https:// origin may use the cookie: nobody can work",
            remedy,
        );
    }
    match config.origins.as_slice() {
        [] => Finding::fine(ABOUT, "the hub's own loopback addresses"),
        more => Finding::fine(ABOUT, format!("the hub's own loopback addresses, {}", more.join(", "))),
    }
}

fn cookies(config: &Config) -> Finding {
    const ABOUT: &str = "cookies";
    match (config.secure_cookies, config.bind.is_loopback()) {
        (false, true) => Finding::fine(ABOUT, "plain, for browsers on this machine"),
        (false, false) => Finding::wrong(
            ABOUT,
            format!("the hub listens on {} and its cookies are plain: sign-ins cross the network for all to read", config.bind),
            "put a TLS proxy before the hub and set TANDEM_SECURE_COOKIES=true; or TANDEM_BIND=127.0.0.1",
        ),
        (true, _) if config.trusted_proxies.is_empty() => Finding::doubtful(
            ABOUT,
            "secure, but no proxy is trusted: all visitors seem to come from one address and share its sign-in limit",
            "name the proxy's address in TANDEM_TRUSTED_PROXIES",
        ),
        (true, _) => Finding::fine(ABOUT, "secure, for browsers behind the TLS proxy"),
    }
}
