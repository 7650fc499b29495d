//! A client's life on the network: connects, serves the connection, loses it (or cuts it on purpose), comes back.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hub_core::wire::client::Request;
use hub_core::wire::{ClientFrame, Codec, EventRecord, ServerFrame};
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::route::Routes;
use super::socket::{Incoming, Socket};
use super::{Client, TurnedAway};
use crate::clock::Clock;
use crate::plan::Intent;
use crate::tally::Tally;

/// A client that is not subscribed this long after connecting tries anew.
const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(15);
/// A cut in the middle of a command waits this long for a command.
const CUT_WAITS_FOR_COMMAND: Duration = Duration::from_millis(300);
/// The longest that a hub's request to stay away is obeyed.
const MAX_STAY_AWAY: Duration = Duration::from_secs(60);

/// What the run asks of its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Go on; connections are cut when the scenario says so.
    Run,
    /// Go on, but cut no more.
    Settle,
    /// Listen, and send nothing any more.
    Listen,
    /// Be cut, all at the same time, and go on.
    Part(Parting),
    /// Stop.
    End,
}

/// How a connection is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// With a reset.
    Reset,
    /// With a close frame.
    Close,
    /// With the end of the stream.
    HangUp,
}

/// How long a client waits before it connects again: anything up to a bound that doubles with every failure in a row, and in
/// any case as long as the hub asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The bound of the first pause.
    pub first: Duration,
    /// The bound of the longest.
    pub longest: Duration,
}

impl Backoff {
    /// As a well-behaved page has it.
    pub const POLITE: Self = Self { first: Duration::from_millis(500), longest: Duration::from_secs(30) };
    /// For runs that want many reconnects.
    pub const QUICK: Self = Self { first: Duration::from_millis(50), longest: Duration::from_secs(1) };

    /// The next pause. Whoever was asked to stay away comes back some time after that, not all at the same time.
    pub fn pause(self, failures: usize, asked: Option<Duration>, rng: &mut StdRng) -> Duration {
        let bound = self.first.saturating_mul(1 << failures.min(16)).min(self.longest);
        asked.unwrap_or_default().min(MAX_STAY_AWAY) + bound.mul_f64(rng.random_range(0.0..=1.0))
    }
}

/// What one client lives by.
#[derive(Debug)]
pub struct Surroundings {
    /// How it gets to the hub.
    pub routes: Arc<Routes>,
    /// Which of the run's clients it is.
    pub index: usize,
    /// What it is to post.
    pub intents: mpsc::Receiver<Intent>,
    /// What the run asks.
    pub orders: watch::Receiver<Order>,
    /// Where it tells how far it got.
    pub reached: watch::Sender<Reached>,
    /// Mean time between cuts.
    pub cut_every: Option<Duration>,
    /// How long it waits before it connects again.
    pub backoff: Backoff,
    /// For cuts and pauses.
    pub rng: StdRng,
    /// The run's time.
    pub clock: Clock,
    /// Counters.
    pub tally: Arc<Tally>,
}

/// How far a client got, for whoever waits for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// The last number of its topic that it was shown.
    pub seq: u64,
    /// Subscribed right now.
    pub is_live: bool,
}

/// How a connection ended.
enum Ended {
    ByOrder,
    ByCut(Parting),
    ByHub,
    TurnedAway(TurnedAway),
}

/// Lives until ordered to end.
///
/// # Errors
/// When the hub will not have this client.
pub async fn live(mut client: Client, mut around: Surroundings) -> Result<Client, TurnedAway> {
    let mut failures = 0;
    while *around.orders.borrow() != Order::End {
        client.tries_to_connect();
        let asked = match Socket::open(&around.routes.route(around.index, failures)).await {
            Ok(socket) => {
                let was_live = Connection { client: &mut client, around: &mut around }.serve(socket).await?;
                failures = if was_live { 0 } else { failures + 1 };
                client.take_stay_away()
            }
            Err(error) => {
                around.tally.fail_to_connect(&error.kind());
                failures += 1;
                error.retry_after()
            }
        };
        pause(&mut around, failures, asked).await;
    }
    Ok(client)
}

async fn pause(around: &mut Surroundings, failures: usize, asked: Option<Duration>) {
    let pause = around.backoff.pause(failures, asked, &mut around.rng);
    // Ordered to end, the pause ends too.
    let _ = timeout(pause, around.orders.wait_for(|order| *order == Order::End)).await;
}

/// How a connection is going to be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// With a reset.
    Reset,
    /// With the end of the stream.
    HangUp,
    /// With a reset, right after the next command.
    AfterCommand,
    /// With a reset, in the middle of the next command.
    MidCommand,
}

struct Connection<'a> {
    client: &'a mut Client,
    around: &'a mut Surroundings,
}

impl Connection<'_> {
    /// Serves one connection to its end; true when it got as far as a subscription.
    async fn serve(&mut self, mut socket: Socket) -> Result<bool, TurnedAway> {
        let mut was_live = false;
        let ended = self.talk(&mut socket, &mut was_live).await;
        self.client.disconnected(self.around.clock.now_us());
        self.tell();
        match ended {
            Ended::ByOrder => socket.close().await,
            Ended::ByCut(parting) => {
                self.around.tally.cut.fetch_add(1, Relaxed);
                match parting {
                    Parting::Reset => socket.reset(),
                    Parting::Close => socket.close().await,
                    Parting::HangUp => socket.hang_up().await,
                }
            }
            Ended::ByHub => {
                self.around.tally.dropped.fetch_add(1, Relaxed);
            }
            Ended::TurnedAway(why) => return Err(why),
        }
        Ok(was_live)
    }

    async fn talk(&mut self, socket: &mut Socket, was_live: &mut bool) -> Ended {
        self.client.connected();
        let opened = Instant::now();
        let (mut cut_at, mut cut) = self.next_cut(opened);
        let mut armed = None;
        loop {
            if *self.around.orders.borrow() == Order::Listen {
                self.client.fall_silent();
            }
            if let Some(ended) = self.say(socket, armed).await {
                return ended;
            }
            *was_live |= self.client.is_live();
            self.tell();
            let deadline = if *was_live { None } else { Some(opened + SUBSCRIBE_TIMEOUT) };
            let cut_now = match armed {
                None => cut_at,
                Some(_) => cut_at.map(|at| at + CUT_WAITS_FOR_COMMAND),
            };
            let wake_at = self.client.wake_at_us().map(|at_us| self.around.clock.instant(at_us));
            let has_room = self.client.is_live() && self.client.has_room();
            tokio::select! {
                incoming = socket.next() => {
                    if let Some(ended) = self.take(&incoming, socket.codec()) {
                        return ended;
                    }
                }
                Some(intent) = self.around.intents.recv(), if has_room => self.client.want(intent, self.around.clock.now_us()),
                () = at(wake_at) => self.client.wake(self.around.clock.now_us()),
                () = at(deadline) => return Ended::ByHub,
                () = at(cut_now) => match (cut, armed) {
                    (Cut::AfterCommand | Cut::MidCommand, None) => armed = Some(cut),
                    (Cut::HangUp, _) => return Ended::ByCut(Parting::HangUp),
                    (Cut::Reset | Cut::AfterCommand | Cut::MidCommand, _) => return Ended::ByCut(Parting::Reset),
                },
                changed = self.around.orders.changed() => {
                    let order = *self.around.orders.borrow_and_update();
                    match order {
                        _ if changed.is_err() => return Ended::ByOrder,
                        Order::End => return Ended::ByOrder,
                        Order::Part(parting) => return Ended::ByCut(parting),
                        Order::Run | Order::Settle | Order::Listen => armed = None,
                    }
                    (cut_at, cut) = self.next_cut(Instant::now());
                }
            }
        }
    }

    /// When this connection is to be cut, and how; never, unless the run cuts right now.
    fn next_cut(&mut self, now: Instant) -> (Option<Instant>, Cut) {
        let kinds = [Cut::Reset, Cut::HangUp, Cut::AfterCommand, Cut::MidCommand];
        let cut = kinds[self.around.rng.random_range(0..kinds.len())];
        let is_cutting = *self.around.orders.borrow() == Order::Run;
        let in_time = self.around.cut_every.filter(|_| is_cutting).map(|mean| {
            // Exponential waiting times: as many cuts right after connecting as at any other time.
            let uniform: f64 = self.around.rng.random_range(0.0..1.0);
            mean.mul_f64(-(1.0 - uniform).ln())
        });
        (in_time.map(|span| now + span), cut)
    }

    /// Puts on the wire what the client wants said, unless a cut waits for exactly that.
    async fn say(&mut self, socket: &mut Socket, armed: Option<Cut>) -> Option<Ended> {
        let requests = self.client.take_out();
        if requests.is_empty() {
            return None;
        }
        let command = requests.iter().find(|request| is_command(request));
        let sent = match (armed, command) {
            (Some(Cut::MidCommand), Some(command)) => {
                // Broken or not, it is cut now.
                let _ = socket.send_half(command).await;
                return Some(Ended::ByCut(Parting::Reset));
            }
            (Some(_), Some(_)) => {
                let _ = socket.send(&requests).await;
                return Some(Ended::ByCut(Parting::Reset));
            }
            (Some(_) | None, _) => socket.send(&requests).await,
        };
        sent.is_err().then_some(Ended::ByHub)
    }

    fn take(&mut self, incoming: &Incoming, codec: Codec) -> Option<Ended> {
        let now_us = self.around.clock.now_us();
        let bytes = match incoming {
            Incoming::Text(text) => text.as_bytes(),
            Incoming::Binary(bytes) => bytes.as_ref(),
            Incoming::Closed(code) => {
                if let Some(code) = code {
                    self.around.tally.close(*code);
                }
                return Some(Ended::ByHub);
            }
            Incoming::Broken => return Some(Ended::ByHub),
        };
        if let Some(fact) = self.client.shelf().find(bytes) {
            self.client.hear_event(fact, now_us);
            return None;
        }
        match codec.decode::<ServerFrame>(bytes) {
            Ok(ServerFrame::Event { topic, seq, at, by, key, event }) if topic == self.client.seat.topic() => {
                let fact = self.client.shelf().keep_frame(bytes, &EventRecord { seq, at, by, key, event });
                self.client.hear_event(fact, now_us);
                None
            }
            Ok(frame) => self.client.hear(frame, now_us).err().map(Ended::TurnedAway),
            Err(_) if is_to_be_ignored(codec, bytes) => {
                self.around.tally.ignored.fetch_add(1, Relaxed);
                None
            }
            Err(error) => {
                self.client.odd(format!("a frame of {} bytes that cannot be read: {error}", bytes.len()));
                None
            }
        }
    }

    fn tell(&self) {
        let reached = Reached { seq: self.client.reached(), is_live: self.client.is_live() };
        self.around.reached.send_if_modified(|told| {
            let is_news = *told != reached;
            *told = reached;
            is_news
        });
    }
}

/// A client ignores frames and signals of a type it does not know; a newer hub may have them.
fn is_to_be_ignored(codec: Codec, bytes: &[u8]) -> bool {
    const KNOWN: [&str; 8] = ["welcome", "subscribed", "unsubscribed", "event", "ack", "error", "pong", "goodbye"];
    let frame: Option<serde_json::Value> = codec.decode(bytes).ok();
    let kind = frame.as_ref().and_then(|frame| frame.get("type")?.as_str());
    kind.is_some_and(|kind| !KNOWN.contains(&kind))
}

const fn is_command(request: &Request) -> bool {
    matches!(request.frame, ClientFrame::PostReply { .. })
}

/// Waits for an instant; for ever when there is none.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pauses_double_up_to_a_bound_and_begin_after_what_the_hub_asked() {
        let mut rng: StdRng = rand::SeedableRng::seed_from_u64(3);
        let mut longest_of = |failures, asked: Option<u64>| {
            let pauses: Vec<_> =
                (0..500).map(|_| Backoff::POLITE.pause(failures, asked.map(Duration::from_secs), &mut rng)).collect();
            (pauses.iter().min().expect("500").as_secs_f64().round(), pauses.iter().max().expect("500").as_secs_f64().round())
        };
        assert_eq!(longest_of(2, None), (0.0, 2.0));
        assert_eq!(longest_of(5, Some(7)), (7.0, 23.0));
        assert_eq!(longest_of(1_000, None), (0.0, 30.0));
        assert_eq!(longest_of(1, Some(9_999)), (60.0, 61.0));
    }

    #[test]
    fn only_frames_and_signals_of_an_unknown_type_are_ignored() {
        for codec in Codec::ALL {
            let signal = json!({"type": "signal", "topic": "workspace", "signal": {"type": "tea_time"}});
            assert!(is_to_be_ignored(codec, &codec.encode(&signal)));
            assert!(is_to_be_ignored(codec, &codec.encode(&json!({"type": "tea_time"}))));
            for broken in [json!({"type": "ack"}), json!({"type": "event", "seq": 1}), json!({}), json!([]), json!({"type": 1})]
            {
                assert!(!is_to_be_ignored(codec, &codec.encode(&broken)), "{broken}");
            }
            assert!(!is_to_be_ignored(codec, b"\xc1"));
        }
    }
}
