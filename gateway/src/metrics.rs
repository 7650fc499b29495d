//! The hub in figures, for Prometheus: collecting them, what each of them means, and `GET /metrics` for those who know the token.
//!
//! Labels come from closed sets: types, codes, routes, outcomes. No tenant, person or ticket is ever one. Others count by the
//! same names ([`actors::metrics`], the journal); the table here says what they mean, and starts those without labels at zero.

use std::cell::Cell;
use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use actix_http::ws::CloseCode as WsCloseCode;
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use hub_core::wire::client::{BadRequest, Request};
use hub_core::wire::{ClientFrame, CloseCode, ErrorCode, Problem};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::auth::Opened;
use crate::doors::Doors;
use crate::problem::Refused;
use crate::rest::{get, other_methods};

/// Seconds: from 0.5 ms to 5 s.
const LATENCIES: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// Appends of one transaction.
const BATCHES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
/// How often samples are summed up, so that they do not pile up while nobody scrapes.
const SUM_UP_EVERY: Duration = Duration::from_secs(5);

/// How a figure behaves.
enum Kind {
    Counter,
    Gauge,
    Histogram,
}
use Kind::{Counter, Gauge, Histogram};

/// Every figure without labels: starts at zero, so that an alert can tell "none" from "not there".
const PLAIN: [(Kind, &str, &str); 35] = [
    (Gauge, "tandem_ready", "1 when /readyz says ready, else 0."),
    (Gauge, "tandem_connections_open", "TCP connections of the HTTP server."),
    (Counter, "tandem_connections_opened_total", "TCP connections that were accepted."),
    (Counter, "tandem_sockets_opened_total", "WebSockets that were opened."),
    (Gauge, "tandem_sockets_greeted", "WebSockets that have said hello and were welcomed."),
    (Gauge, "tandem_commands_in_flight", "Commands under way: permits taken of those this node has."),
    (
        Gauge,
        "tandem_command_permits",
        "Commands that may be under way just now, by how quickly they are answered; more are refused busy.",
    ),
    (Gauge, "tandem_subscribes_waiting", "Sockets that wait for the owner of a topic."),
    (Gauge, "tandem_ticket_reads_waiting", "Tickets that wait for their turn to be read from the log."),
    (Histogram, "tandem_ticket_read_seconds", "Reading a ticket from the log, its turn having come."),
    (Counter, "tandem_ticket_read_failures_total", "Tickets that could not be read from the log."),
    (Counter, "tandem_ticket_quarantines_total", "Tickets that kept panicking, and rest for a minute."),
    (Counter, "tandem_topics_left_behind_total", "Topics of sockets left behind, because their client does not read."),
    (Counter, "tandem_topics_resynchronised_total", "Topics that the hub itself asked for again, from the last event told."),
    (Gauge, "tandem_tickets_awake", "Tickets in memory."),
    (Gauge, "tandem_presences", "Sockets that say what their person does at a ticket, once for each ticket."),
    (Counter, "tandem_drafts_stored_total", "Drafts that were stored, or thrown away."),
    (Histogram, "tandem_drafts_store_seconds", "Storing the drafts of a ticket that were due, from asking to the answer."),
    (Counter, "tandem_draft_store_failures_total", "Times that drafts could not be stored: whoever wrote them was told."),
    (
        Counter,
        "tandem_draft_conflicts_total",
        "Savings of a draft that another device had changed: shown, and not written over.",
    ),
    (Gauge, "tandem_claims_held", "Claims of tickets that are awake on this node."),
    (
        Histogram,
        "tandem_counters_count_seconds",
        "Counting the tickets of a workspace for its lists, from asking to the answer.",
    ),
    (
        Counter,
        "tandem_counters_corrected_total",
        "Recounts that found other counters than were carried along: another hub wrote, or a message was lost.",
    ),
    (Gauge, "tandem_journal_queue_appends", "Appends that wait for the writer of the log."),
    (Counter, "tandem_ticket_activations_total", "Tickets woken."),
    (Counter, "tandem_ticket_panics_total", "Tickets that panicked and were read anew. Each is a bug."),
    (Counter, "tandem_outbox_overflows_total", "Frames that found no room at a socket whose client does not read."),
    (Counter, "tandem_fanout_overflows_total", "Deliveries that found no room at a worker, which then resynchronises."),
    (Counter, "tandem_sockets_cut_total", "Connections shut from outside their session."),
    (Histogram, "tandem_command_seconds", "From a command's coming to its ack, whatever door it came through."),
    (Histogram, "tandem_journal_commit_seconds", "From sending a batch to the database to its answer."),
    (Histogram, "tandem_journal_batch_appends", "Appends of one transaction."),
    (Histogram, "tandem_delivery_seconds", "From the commit of an event to the outboxes of one worker."),
    (Gauge, "process_resident_memory_bytes", "Memory of this process that is in RAM."),
    (Gauge, "process_open_fds", "Open file descriptors."),
];

/// Every figure with labels.
const LABELLED: [(Kind, &str, &str); 10] = [
    (
        Counter,
        "tandem_rate_limited_total",
        "Who came too often, by limit (socket, user, token, address, handshakes, connections).",
    ),
    (
        Histogram,
        "tandem_event_loop_stall_seconds",
        "How late a thread's timer fires, by loop (worker: HTTP and sockets; shard: tickets): what blocks it; a millisecond is the \
         timer's own.",
    ),
    (
        Counter,
        "tandem_panics_total",
        "Panics by what panicked beside tickets (shard, fanout, user, workspace) and lived on. Each is a bug.",
    ),
    (Counter, "tandem_frames_in_total", "Client messages by type; `refused` for those that could not be read."),
    (Counter, "tandem_frames_out_total", "Frames queued for sockets, by type."),
    (Counter, "tandem_refusals_total", "Refusals by door (socket, http) and code."),
    (
        Counter,
        "tandem_sockets_closed_total",
        "WebSockets that ended, by close code of the hub; client: it closed; lost: the connection broke or was cut.",
    ),
    (Counter, "tandem_sign_ins_total", "Sign-ins by outcome."),
    (Counter, "tandem_http_requests_total", "Requests by method, route and class of status."),
    (Histogram, "tandem_http_request_seconds", "From a request's head to the head of its answer, by route."),
];

/// What a scraper has to know: held as a digest, so that it can be shown and compared without telling.
#[derive(Clone, PartialEq, Eq)]
pub struct MetricsToken([u8; 32]);

impl MetricsToken {
    /// The token as it is configured.
    pub fn new(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }
}

impl fmt::Debug for MetricsToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricsToken")
    }
}

/// Collects, from now on, for the whole process; begun once, however many hubs the process holds.
#[derive(Clone)]
pub struct Figures {
    handle: PrometheusHandle,
}

impl Figures {
    /// Begins to collect.
    ///
    /// # Errors
    /// Never, in practice: when a histogram has no buckets.
    pub fn begin() -> Result<Self, BuildError> {
        static BEGUN: OnceLock<PrometheusHandle> = OnceLock::new();
        if let Some(handle) = BEGUN.get() {
            return Ok(Self { handle: handle.clone() });
        }
        let sizes = Matcher::Full("tandem_journal_batch_appends".into());
        let builder = PrometheusBuilder::new().set_buckets(&LATENCIES)?.set_buckets_for_metric(sizes, &BATCHES)?;
        let handle = BEGUN.get_or_init(|| {
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            if ::metrics::set_global_recorder(recorder).is_err() {
                tracing::error!("somebody else collects figures in this process: /metrics stays empty");
            }
            describe();
            handle
        });
        Ok(Self { handle: handle.clone() })
    }

    /// Sums samples up, for ever: ends when it is dropped.
    pub async fn sum_up(self) {
        loop {
            actix_web::rt::time::sleep(SUM_UP_EVERY).await;
            self.handle.run_upkeep();
        }
    }

    /// Everything, in Prometheus' text format. What is looked up and what is shown belong together, also where several hubs of one
    /// process are asked at once.
    fn shown(&self, doors: &Doors) -> String {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock();
        gauge!("tandem_ready").set(if doors.readiness.reason().is_none() { 1.0 } else { 0.0 });
        gauge!("tandem_sockets_greeted").set(whole(doors.sockets.count()));
        gauge!("tandem_command_permits").set(whole(doors.tickets.command_permits()));
        gauge!("tandem_commands_in_flight").set(whole(doors.tickets.commands_in_flight()));
        if let Some(bytes) = resident_bytes() {
            gauge!("process_resident_memory_bytes").set(bytes);
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            gauge!("process_open_fds").set(whole(open.count()));
        }
        self.handle.run_upkeep();
        self.handle.render()
    }
}

/// Counts are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of one process")]
const fn whole(count: usize) -> f64 {
    count as f64
}

/// From `VmRSS:  1234 kB`; nothing where the system does not say.
fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kib| kib * 1_024.0)
}

fn describe() {
    for (kind, name, help) in LABELLED {
        match kind {
            Counter => describe_counter!(name, help),
            Gauge => describe_gauge!(name, help),
            Histogram => describe_histogram!(name, help),
        }
    }
    for (kind, name, help) in PLAIN {
        match kind {
            Counter => {
                describe_counter!(name, help);
                counter!(name).increment(0);
            }
            Gauge => {
                describe_gauge!(name, help);
                gauge!(name).increment(0.0);
            }
            Histogram => {
                describe_histogram!(name, help);
                // Registered without a sample.
                drop(histogram!(name));
            }
        }
    }
    for code in ErrorCode::ALL {
        for door in ["socket", "http"] {
            counter!("tandem_refusals_total", "door" => door, "code" => actors::metrics::code_name(code)).increment(0);
        }
    }
    for actor in ["shard", "fanout", "user"] {
        counter!("tandem_panics_total", "actor" => actor).increment(0);
    }
    for limit in ["socket", "user", "token", "address", "handshakes", "connections"] {
        counter!("tandem_rate_limited_total", "limit" => limit).increment(0);
    }
    for outcome in OUTCOMES {
        counter!("tandem_sign_ins_total", "outcome" => outcome).increment(0);
    }
}

/// Registers `/metrics`.
pub fn configure(config: &mut web::ServiceConfig) {
    let resource = web::resource("/metrics").route(get().to(show));
    config.service(resource.default_service(other_methods(&[Method::GET])));
}

/// Without a token in the settings this address does not exist.
async fn show(
    request: HttpRequest,
    doors: web::Data<Doors>,
    figures: web::Data<Option<Figures>>,
) -> Result<HttpResponse, Refused> {
    let (Some(token), Some(figures)) = (&doors.settings.metrics_token, figures.get_ref()) else {
        return Err(Problem::not_found().into());
    };
    if bearer(&request).is_none_or(|told| MetricsToken::new(told) != *token) {
        return Err(Problem::new(ErrorCode::Unauthenticated, "This takes the hub's metrics token, as a bearer token.").into());
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(figures.shown(&doors)))
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A connection: counted for as long as this is held.
pub struct OpenConnection(::metrics::Gauge);

impl OpenConnection {
    /// It was accepted.
    pub fn begin() -> Self {
        counter!("tandem_connections_opened_total").increment(1);
        // The same figure goes down again: one that was taken before anybody collected counts neither way.
        let open = gauge!("tandem_connections_open");
        open.increment(1.0);
        Self(open)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// A client's message was read, or could not be.
pub fn received(decoded: &Result<Request, BadRequest>) {
    let kind = match decoded {
        Err(_) => "refused",
        Ok(request) => match request.frame {
            ClientFrame::Hello { .. } => "hello",
            ClientFrame::Subscribe { .. } => "subscribe",
            ClientFrame::Unsubscribe { .. } => "unsubscribe",
            ClientFrame::Ping => "ping",
            ClientFrame::PostReply { .. } => "post_reply",
            ClientFrame::ChangeStatus { .. } => "change_status",
            ClientFrame::Assign { .. } => "assign",
            ClientFrame::UpdateTicket { .. } => "update_ticket",
            ClientFrame::CancelHeld { .. } => "cancel_held",
            ClientFrame::HandOver { .. } => "hand_over",
            ClientFrame::AcknowledgeHandoff { .. } => "acknowledge_handoff",
            ClientFrame::ChangeTags { .. } => "change_tags",
            ClientFrame::Watch { .. } => "watch",
            ClientFrame::TakeClaim { .. } => "take_claim",
            ClientFrame::ReleaseClaim { .. } => "release_claim",
            ClientFrame::SaveDraft { .. } => "save_draft",
            ClientFrame::DiscardDraft { .. } => "discard_draft",
            ClientFrame::SetPresence { .. } => "set_presence",
            ClientFrame::WatchRows { .. } => "watch_rows",
            ClientFrame::MarkRead { .. } => "mark_read",
        },
    };
    counter!("tandem_frames_in_total", "type" => kind).increment(1);
}

/// A WebSocket: counted when it opens, and by what ended it when this is dropped.
pub struct SocketLife(Cell<&'static str>);

impl SocketLife {
    /// It was opened.
    pub fn begin() -> Self {
        counter!("tandem_sockets_opened_total").increment(1);
        Self(Cell::new(LOST))
    }

    /// The hub closes it.
    pub fn closed_by_hub(&self, code: CloseCode) {
        self.end(match code {
            CloseCode::Drain => "1012",
            CloseCode::ProtocolAbuse => "4400",
            CloseCode::Unauthenticated => "4401",
            CloseCode::HeartbeatMissed => "4408",
            CloseCode::TooSlow => "4409",
            CloseCode::TooLarge => "4413",
            CloseCode::TooMany => "4429",
        });
    }

    /// The hub closes it with a code of RFC 6455: 1002 or 1007.
    pub fn broke_the_rules(&self, code: &WsCloseCode) {
        self.end(if *code == WsCloseCode::Invalid { "1007" } else { "1002" });
    }

    /// The client says goodbye.
    pub fn closed_by_client(&self) {
        self.end("client");
    }

    /// The first end is the reason of what follows.
    fn end(&self, code: &'static str) {
        if self.0.get() == LOST {
            self.0.set(code);
        }
    }
}

impl Drop for SocketLife {
    fn drop(&mut self) {
        counter!("tandem_sockets_closed_total", "code" => self.0.get()).increment(1);
    }
}

/// A connection was shut from outside.
pub fn cut() {
    counter!("tandem_sockets_cut_total").increment(1);
}

/// How a socket ends that nobody closed.
const LOST: &str = "lost";
/// How a try to sign in ends.
const OUTCOMES: [&str; 4] = ["signed_in", "wrong", "rate_limited", "failed"];

/// Somebody tried to sign in.
pub fn signed_in(opened: &Result<Opened, Problem>) {
    let outcome = match opened.as_ref().map_err(|problem| problem.code) {
        Ok(_) => OUTCOMES[0],
        Err(ErrorCode::Unauthenticated) => OUTCOMES[1],
        Err(ErrorCode::RateLimited) => OUTCOMES[2],
        Err(_) => OUTCOMES[3],
    };
    counter!("tandem_sign_ins_total", "outcome" => outcome).increment(1);
}

/// A request was answered.
pub fn answered<B>(answer: &ServiceResponse<B>, began: Instant) {
    let request = answer.request();
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    };
    // Patterns are those of our own tables; everything else is a page, or nothing.
    let route = request.match_pattern().unwrap_or_else(|| "other".into());
    let class = format!("{}xx", answer.status().as_u16() / 100);
    histogram!("tandem_http_request_seconds", "route" => route.clone()).record(began.elapsed().as_secs_f64());
    counter!("tandem_http_requests_total", "method" => method, "route" => route, "status" => class).increment(1);
}
