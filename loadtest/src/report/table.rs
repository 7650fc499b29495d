//! The figures as a table for people, and what the oracle says.

use std::fmt::Write as _;

use hub_core::wire::Limits;

use super::{Report, Spread};
use crate::scenario::thread::SUSTAINED_SHARE;

/// Breaches that are printed; the rest is counted.
const PRINTED_BREACHES: usize = 50;

impl Report {
    /// The figures as a table, and what the oracle says.
    ///
    /// # Panics
    /// Never: writing to text cannot fail.
    pub fn table(&self) -> String {
        let mut t = String::new();
        self.write_table(&mut t).expect("writing to text cannot fail");
        t
    }

    fn write_table(&self, t: &mut String) -> std::fmt::Result {
        let load = &self.load;
        writeln!(
            t,
            "{}: {} clients at {} tickets, {}, seed {}",
            self.scenario, load.clients, load.tickets, load.codec, load.seed
        )?;
        for hub in &self.hubs {
            let Limits { message_bytes, body_bytes, subscriptions, commands_in_flight, .. } = hub.limits;
            let words = format!(
                "{commands_in_flight} commands in flight, {subscriptions} subscriptions, {message_bytes} B a message, {body_bytes} B a body"
            );
            writeln!(t, "hub {}: heartbeat {} ms; limits: {words}", hub.node, hub.heartbeat_ms)?;
        }
        if load.tickets > 0 {
            self.write_replies(t)?;
        }
        if let Some(own) = &self.own {
            own.write(t)?;
        }
        writeln!(t)?;
        self.write_connections(t)?;
        self.write_driver(t)?;
        self.write_breaches(t)
    }

    fn write_replies(&self, t: &mut String) -> std::fmt::Result {
        let (load, replies, driver) = (&self.load, &self.replies, &self.driver);
        for (rate, share) in &self.trials {
            writeln!(t, "  tried {rate:>8.0} replies/s: {:>5.1} % acked within a second", share * 100.0)?;
        }
        if !self.trials.is_empty() {
            let held = if replies.acked_within_1s_share >= SUSTAINED_SHARE { "held" } else { "did NOT hold" };
            writeln!(t, "  {:.0} replies/s {held} for the whole run", load.rate_per_s)?;
        }
        writeln!(t, "\nreplies ({:.1} s measured, ramp {:.1} s before)", load.measured_s, load.ramp_s)?;
        writeln!(t, "  offered          {:>10}   {:.1}/s wanted", replies.offered, load.rate_per_s)?;
        writeln!(t, "  sent             {:>10}", replies.sent)?;
        writeln!(
            t,
            "  acked            {:>10}   {:.1}/s, {:.2} %",
            replies.acked,
            replies.acked_per_s,
            replies.acked_share * 100.0
        )?;
        writeln!(t, "  acked within 1 s {:>10.2} %", replies.acked_within_1s_share * 100.0)?;
        writeln!(
            t,
            "  in the whole run: sent again {}, with force {}, held back {}, refused for good {}, without an answer {}",
            replies.sent_again, replies.forced, replies.held_back, replies.refused_for_good, replies.not_settled
        )?;
        let refusals: Vec<String> = replies.refusals.iter().map(|(code, count)| format!("{code} {count}")).collect();
        writeln!(
            t,
            "  refusals in the whole run: {}",
            if refusals.is_empty() { "none".to_owned() } else { refusals.join(", ") }
        )?;
        writeln!(t, "\nmilliseconds               p50        p90        p99        max      count")?;
        for (name, spread) in [
            ("ack", &self.ack_ms),
            ("delivery", &self.delivery_ms),
            ("driver's ticker", &driver.tick_lag_ms),
            ("driver's sending", &driver.send_lag_ms),
        ] {
            let Spread { count, p50, p90, p99, max, .. } = spread;
            writeln!(t, "  {name:<17} {p50:>10.2} {p90:>10.2} {p99:>10.2} {max:>10.2} {count:>10}")?;
        }
        writeln!(t, "\ndeliveries {:.1}/s", self.deliveries_per_s)
    }

    fn write_connections(&self, t: &mut String) -> std::fmt::Result {
        let c = &self.connections;
        writeln!(
            t,
            "connections: {} cut here, {} ended by the hub, {} attempts failed; resumed {} times with a tail, {} with a reset",
            c.cut_by_driver, c.ended_by_hub, c.failed_connects, c.resumed_with_tail, c.resumed_with_reset
        )?;
        if !c.failures.is_empty() {
            let failures: Vec<String> = c.failures.iter().map(|(kind, count)| format!("{kind} {count} times")).collect();
            writeln!(t, "attempts to connect failed: {}", failures.join(", "))?;
        }
        if !c.closes.is_empty() {
            let closes: Vec<String> = c.closes.iter().map(|(code, count)| format!("{code} {count} times")).collect();
            writeln!(t, "closed by the hub with code {}", closes.join(", "))?;
        }
        Ok(())
    }

    fn write_driver(&self, t: &mut String) -> std::fmt::Result {
        let driver = &self.driver;
        let processors = driver.processors.map_or_else(|| "unknown".to_owned(), |n| format!("{n:.2}"));
        let busy = driver.machine_busy.map_or_else(|| "unknown".to_owned(), |share| format!("{:.0} %", share * 100.0));
        writeln!(
            t,
            "driver: {processors} processors used; the machine was {busy} busy, the hub's part included where it runs here"
        )?;
        if driver.was_bottleneck {
            writeln!(
                t,
                "THE DRIVER WAS TOO SLOW: its own lag is part of these figures; they tell less of the hub than they seem to"
            )?;
        }
        Ok(())
    }

    fn write_breaches(&self, t: &mut String) -> std::fmt::Result {
        for demand in &self.unmet {
            writeln!(t, "\nNOT MET: {demand}")?;
        }
        if self.load.tickets == 0 {
            return writeln!(t, "\noracle: nothing was written, nothing to judge");
        }
        if self.breaches.is_empty() {
            return writeln!(t, "\noracle: every guarantee held");
        }
        writeln!(t, "\noracle: {} BREACHES", self.breaches.len())?;
        for breach in self.breaches.iter().take(PRINTED_BREACHES) {
            writeln!(t, "  {breach}")?;
        }
        match self.breaches.len().checked_sub(PRINTED_BREACHES) {
            Some(more @ 1..) => writeln!(t, "  … and {more} more"),
            Some(0) | None => Ok(()),
        }
    }
}
