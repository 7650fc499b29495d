//! The HTTP server: all doors, in one app per worker.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpServer, web};

use crate::doors::Doors;
use crate::metrics::{Figures, OpenConnection};
use crate::pages::{self, Pages};
use crate::ws::KillSwitch;
use crate::{health, metrics, outside, rest, socket_options, ws};

/// Connections beyond those the node has, held for as long as it takes to tell them so; past these nobody is accepted.
const ROOM_FOR_REFUSALS: usize = 1_024;

/// A request's head has to be here by then.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// An idle connection is kept so long.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// A closing connection has to be gone by then.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// Requests under way get this long when the server stops.
const LAST_ANSWERS_WITHIN_S: u64 = 10;

/// Starts to serve on `listener`. Must run inside an actix system. Signals are the caller's.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(doors: Doors, listener: TcpListener) -> io::Result<Server> {
    let settings = doors.settings.clone();
    let pages = web::Data::new(Pages::load(settings.web_dir.as_deref()));
    let connections = doors.connections.clone();
    actix_web::rt::spawn(connections.clone().watch());
    actix_web::rt::spawn(doors.rates.clone().trim_each_minute());
    let doors = web::Data::new(doors);
    let workers = settings.workers.max(1);
    let figures = settings.metrics_token.as_ref().map(|_| Figures::begin()).transpose().map_err(io::Error::other)?;
    if let Some(figures) = figures.clone() {
        actix_web::rt::spawn(figures.sum_up());
    }
    let figures = web::Data::new(figures);
    let app = move || {
        // Called once on each worker.
        if figures.is_some() {
            actix_web::rt::spawn(actors::metrics::watch_stalls("worker"));
        }
        // The socket and the API come first: the pages answer everything else.
        let pages_for_the_rest = web::scope("").wrap(Compress::default()).default_service(web::route().to(pages::page));
        App::new()
            .app_data(doors.clone())
            .app_data(pages.clone())
            .app_data(figures.clone())
            .wrap(from_fn(outside::guard))
            .service(ws::resource())
            .configure(health::configure)
            .configure(metrics::configure)
            .configure(rest::configure)
            .service(pages_for_the_rest)
    };
    let server = HttpServer::new(app)
        .workers(workers)
        .max_connections(settings.max_connections.saturating_add(ROOM_FOR_REFUSALS).div_ceil(workers))
        .client_request_timeout(HEAD_WITHIN)
        .client_disconnect_timeout(GONE_WITHIN)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(LAST_ANSWERS_WITHIN_S)
        .disable_signals()
        .on_connect(move |io, data| {
            if let Some(io) = io.downcast_ref::<TcpStream>() {
                socket_options::prepare(io);
                let kill = KillSwitch::of_connection(io);
                data.insert(connections.accept(io, kill.clone()));
                data.insert(kill);
                data.insert(OpenConnection::begin());
            }
        })
        .listen(listener)?;
    Ok(server.run())
}
