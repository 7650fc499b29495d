//! The figures that only one scenario has, beside those that all have. Plain data; who gathers them is `scenario`'s matter.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use super::Spread;

/// What only this scenario tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Own {
    /// Of `connect`.
    Connect(Connect),
    /// Of `storm`.
    Storm(Storm),
    /// Of `stall`.
    Stall(Stall),
    /// Of `overload`.
    Overload(Overload),
    /// Of `resident`.
    Resident(Resident),
    /// Of `collide`.
    Collide(Collide),
}

/// Sockets that were opened and held.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Connect {
    /// Sockets that were to be opened.
    pub sockets: u64,
    /// How many of them a second.
    pub rate_per_s: f64,
    /// `none`, `workspace` or `thread`.
    pub topics: String,
    /// From the time a socket was due to the end of its upgrade, in milliseconds.
    pub handshake_ms: Spread,
    /// From `hello` to `welcome`, in milliseconds.
    pub welcome_ms: Spread,
    /// From `subscribe` to `subscribed`, in milliseconds.
    pub subscribe_ms: Spread,
    /// How long all were held, in seconds.
    pub held_s: f64,
    /// Welcomed (and subscribed), and there to the end.
    pub alive_at_end: u64,
    /// Pings of the hub that were answered.
    pub pings_answered: u64,
    /// Never got as far, by kind.
    pub failed: BTreeMap<String, u64>,
    /// Were lost while they were held, by kind.
    pub lost: BTreeMap<String, u64>,
}

/// Sockets that all came back at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Storm {
    /// How they were cut: `rst`, `close` or `kill`.
    pub cut: String,
    /// One for each time.
    pub rounds: Vec<Round>,
}

/// Once cut, and all back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Round {
    /// Sockets that lost their subscription.
    pub lost: u64,
    /// Of these, not subscribed again in time.
    pub not_back: u64,
    /// From losing the subscription to having it again, in milliseconds, socket by socket.
    pub resume_ms: Spread,
    /// From the first loss until the last was back, in milliseconds.
    pub all_back_ms: f64,
    /// Attempts to connect that it took, all together.
    pub attempts: u64,
}

/// Sockets that do not read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stall {
    /// Sockets that watch, those that stopped reading included; those that write are more.
    pub sockets: u64,
    /// Of these, stopped reading.
    pub stalled: u64,
    /// Events per second on each ticket.
    pub events_per_s: f64,
    /// From when a socket stopped reading until the hub had ended its connection, in milliseconds.
    pub cut_after_stop_ms: Spread,
    /// From when the kernel took no more bytes for it until the hub had ended its connection, in milliseconds.
    pub cut_after_full_ms: Spread,
    /// Not ended by the hub while the run went on.
    pub not_cut: u64,
    /// What a stalled socket found when it read on after the run.
    pub found_at_end: BTreeMap<String, u64>,
    /// How often it was looked: so exact are the times.
    pub look_every_ms: f64,
    /// The most that the kernel held for one stalled socket, in bytes, at both ends where the hub runs here.
    pub kernel_bytes_max: u64,
}

/// More than the hub can take, and what comes after.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Overload {
    /// How many times the rate.
    pub factor: f64,
    /// Nobody waits longer for an ack, in milliseconds.
    pub patience_ms: f64,
    /// Before, during and after.
    pub phases: Vec<Phase>,
    /// From the end of the overload until acks were as prompt as before, in milliseconds; none when that was never.
    pub recovered_after_ms: Option<f64>,
    /// What counted as prompt: the 99th percentile of each of some half seconds in a row, in milliseconds.
    pub prompt_p99_ms: f64,
}

/// One part of an overload run. What was due in it counts here, whenever it was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Phase {
    /// `baseline`, `overload` or `recovery`.
    pub name: String,
    /// Replies per second that were due.
    pub rate_per_s: f64,
    /// How long, in seconds.
    pub seconds: f64,
    /// Replies that were due.
    pub offered: u64,
    /// Acked within the patience.
    pub accepted: u64,
    /// The same per second: the goodput.
    pub goodput_per_s: f64,
    /// Acked later.
    pub accepted_late: u64,
    /// Sent, refused, and given up.
    pub given_up: u64,
    /// Sent and never answered.
    pub unanswered: u64,
    /// Due, and never sent: as much was under way as the hub allows a client, or the client was too far behind.
    pub not_sent: u64,
    /// Refusals by code; one reply may be refused more than once.
    pub refused: BTreeMap<String, u64>,
    /// From the time a reply was due to its ack, in milliseconds.
    pub ack_ms: Spread,
}

/// Tickets that were woken and left.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resident {
    /// Tickets that were to be woken.
    pub tickets: u64,
    /// Over so many sockets.
    pub sockets: u64,
    /// Woken, and left without a subscriber.
    pub woken: u64,
    /// How long all took, in seconds.
    pub seconds: f64,
    /// Woken per second.
    pub per_s: f64,
    /// From `subscribe` to `subscribed`, in milliseconds.
    pub wake_ms: Spread,
    /// Tickets that could not be woken, by kind.
    pub failed: BTreeMap<String, u64>,
}

/// People who get in each other's way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Collide {
    /// `walk`, `crowd` or `blind`.
    pub manner: String,
    /// Agents, over all tickets.
    pub agents: u64,
    /// Devices, customers' included.
    pub devices: u64,
    /// What was asked, by kind.
    pub actions: BTreeMap<String, u64>,
    /// Refusals by code.
    pub refused: BTreeMap<String, u64>,
    /// What happened meanwhile, by type of event.
    pub events: BTreeMap<String, u64>,
    /// From asking until the answer, in milliseconds. What is to be seen at once may be as late again as the 99th percentile twice:
    /// the oracle allows for a machine that is late with everything.
    #[serde(default)]
    pub answer_ms: Spread,
    /// From announcing that one composes until another viewer was shown it, in milliseconds.
    pub presence_ms: Spread,
    /// From asking for a claim, or composing, until another viewer was shown who took it, in milliseconds.
    pub claim_ms: Spread,
    /// The most presence frames within a second that one viewer of a ticket was sent.
    pub presence_frames_per_s_max: u64,
    /// Stored texts that their author sent over, or threw away, on a device that had not been shown them yet.
    pub drafts_given_up_unseen: u64,
    /// Signals about presence, claims and drafts that were received.
    pub signals: u64,
    /// The same per second.
    pub signals_per_s: f64,
}

impl Own {
    /// The figures, as lines of the table.
    ///
    /// # Errors
    /// Never, when `t` takes text.
    pub fn write(&self, t: &mut String) -> fmt::Result {
        match self {
            Self::Connect(figures) => figures.write(t),
            Self::Storm(figures) => figures.write(t),
            Self::Stall(figures) => figures.write(t),
            Self::Overload(figures) => figures.write(t),
            Self::Resident(figures) => figures.write(t),
            Self::Collide(figures) => figures.write(t),
        }
    }
}

impl Connect {
    fn write(&self, t: &mut String) -> fmt::Result {
        let Self { sockets, rate_per_s, topics, alive_at_end, held_s, pings_answered, .. } = self;
        writeln!(t, "\nsockets: {sockets} opened at {rate_per_s:.0}/s (topics: {topics}), held for {held_s:.1} s")?;
        writeln!(t, "  alive at the end {alive_at_end}, pings answered {pings_answered}")?;
        writeln!(t, "  never got as far: {}", told(&self.failed))?;
        writeln!(t, "  lost while held: {}", told(&self.lost))?;
        spreads(t, &[("handshake", &self.handshake_ms), ("welcome", &self.welcome_ms), ("subscribed", &self.subscribe_ms)])
    }
}

impl Storm {
    fn write(&self, t: &mut String) -> fmt::Result {
        for (number, round) in (1..).zip(&self.rounds) {
            let Round { lost, not_back, all_back_ms, attempts, resume_ms } = round;
            writeln!(
                t,
                "\nstorm {number} ({}): {lost} sockets lost at once, {not_back} not back in time, {attempts} attempts to connect; the last was back after {all_back_ms:.0} ms",
                self.cut
            )?;
            spreads(t, &[("back after", resume_ms)])?;
        }
        Ok(())
    }
}

impl Stall {
    fn write(&self, t: &mut String) -> fmt::Result {
        let Self { sockets, stalled, events_per_s, not_cut, kernel_bytes_max, .. } = self;
        writeln!(
            t,
            "\nstall: {stalled} of {sockets} watching sockets stopped reading, {events_per_s:.1} events/s on each ticket"
        )?;
        writeln!(t, "  not cut off by the hub {not_cut}; the kernel held {kernel_bytes_max} B for one of them at most")?;
        writeln!(t, "  found when reading on after the run: {}", told(&self.found_at_end))?;
        spreads(t, &[("cut after stop", &self.cut_after_stop_ms), ("cut after full", &self.cut_after_full_ms)])
    }
}

impl Overload {
    fn write(&self, t: &mut String) -> fmt::Result {
        writeln!(t, "\noverload: {:.1} times the rate; nobody waits longer than {:.0} ms", self.factor, self.patience_ms)?;
        for phase in &self.phases {
            let Phase {
                name,
                rate_per_s,
                seconds,
                offered,
                accepted,
                goodput_per_s,
                accepted_late,
                given_up,
                unanswered,
                not_sent,
                ..
            } = phase;
            writeln!(
                t,
                "  {name:<9} {rate_per_s:>7.0}/s for {seconds:>5.1} s: offered {offered}, accepted {accepted} ({goodput_per_s:.0}/s), late {accepted_late}, given up {given_up}, unanswered {unanswered}, not sent {not_sent}"
            )?;
            writeln!(t, "            refused: {}", told(&phase.refused))?;
        }
        let names: Vec<(&str, &Spread)> = self.phases.iter().map(|phase| (phase.name.as_str(), &phase.ack_ms)).collect();
        spreads(t, &names)?;
        match self.recovered_after_ms {
            Some(ms) => {
                writeln!(t, "  acks were as prompt as before (p99 {:.1} ms) {ms:.0} ms after the overload", self.prompt_p99_ms)
            }
            None => writeln!(t, "  acks did NOT become as prompt as before (p99 {:.1} ms)", self.prompt_p99_ms),
        }
    }
}

impl Resident {
    fn write(&self, t: &mut String) -> fmt::Result {
        let Self { tickets, sockets, woken, seconds, per_s, .. } = self;
        writeln!(
            t,
            "\nresident: {woken} of {tickets} tickets woken and left over {sockets} sockets in {seconds:.1} s ({per_s:.0}/s)"
        )?;
        writeln!(t, "  not woken: {}", told(&self.failed))?;
        spreads(t, &[("woken after", &self.wake_ms)])
    }
}

impl Collide {
    fn write(&self, t: &mut String) -> fmt::Result {
        let Self { manner, agents, devices, signals, signals_per_s, presence_frames_per_s_max, .. } = self;
        writeln!(t, "\ncollide ({manner}): {agents} agents, {devices} devices")?;
        writeln!(t, "  asked: {}", told(&self.actions))?;
        writeln!(t, "  refused: {}", told(&self.refused))?;
        writeln!(t, "  happened: {}", told(&self.events))?;
        writeln!(t, "  stored texts sent over or thrown away unseen by their author: {}", self.drafts_given_up_unseen)?;
        writeln!(
            t,
            "  {signals} signals received ({signals_per_s:.0}/s); at most {presence_frames_per_s_max} presence frames a second for one viewer"
        )?;
        spreads(t, &[("answer", &self.answer_ms), ("presence shown", &self.presence_ms), ("claim shown", &self.claim_ms)])
    }
}

/// Kinds with their counts, in words.
fn told(kinds: &BTreeMap<String, u64>) -> String {
    let told: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    if told.is_empty() { "none".to_owned() } else { told.join(", ") }
}

fn spreads(t: &mut String, rows: &[(&str, &Spread)]) -> fmt::Result {
    writeln!(t, "  milliseconds             p50        p90        p99        max      count")?;
    for (name, Spread { count, p50, p90, p99, max, .. }) in rows {
        writeln!(t, "  {name:<17} {p50:>10.2} {p90:>10.2} {p99:>10.2} {max:>10.2} {count:>10}")?;
    }
    Ok(())
}
