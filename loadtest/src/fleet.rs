//! Who takes part: the users and tickets of a tokens file, and how they are spread over the tickets.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use hub_core::ids::{TicketId, UserId};
use hub_core::wire::Topic;
use serde::Deserialize;

use crate::oracle::history::View;

/// What `hub seed --fleet agents=N,customers=M,tickets=K --tokens FILE` writes.
#[derive(Debug, Deserialize)]
pub struct Fleet {
    /// Whoever may reply to every ticket.
    pub agents: Vec<Member>,
    /// Whoever asked.
    pub customers: Vec<Member>,
    /// Tickets of these customers.
    pub tickets: Vec<FleetTicket>,
}

/// A user with a token of its own.
#[derive(Clone, Debug, Deserialize)]
pub struct Member {
    /// The address it could sign in with.
    pub email: String,
    /// The token to say hello with.
    pub token: String,
    /// The id its events carry.
    pub user_id: UserId,
}

/// A ticket and who asked.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct FleetTicket {
    /// Which.
    pub id: TicketId,
    /// The only customer who sees it.
    pub requester_id: UserId,
}

/// One client's place: who it is, and which ticket it watches.
#[derive(Clone, Debug)]
pub struct Seat {
    /// Whose token it uses.
    pub member: Member,
    /// Which ticket.
    pub ticket: TicketId,
    /// As what.
    pub view: View,
}

impl Seat {
    /// The topic to subscribe to.
    pub const fn topic(&self) -> Topic {
        match self.view {
            View::Ticket => Topic::Ticket(self.ticket),
            View::Thread => Topic::Thread(self.ticket),
        }
    }
}

/// What idle clients watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topics {
    /// Nothing.
    None,
    /// The list, as agents do.
    Workspace,
    /// One ticket each, customers and agents by turns.
    Thread,
}

impl Topics {
    /// As it stands on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Workspace => "workspace",
            Self::Thread => "thread",
        }
    }
}

/// `total` over `parts` as evenly as it goes, the first ones getting what is left.
pub fn shared_out(total: usize, parts: usize) -> Vec<usize> {
    (0..parts).map(|part| total / parts + usize::from(part < total % parts)).collect()
}

impl Fleet {
    /// Reads a tokens file.
    ///
    /// # Errors
    /// When the file cannot be read or is no tokens file; the words say what to do.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| {
            let path = path.display();
            format!("cannot read the tokens file {path}; make one with: hub seed --fleet agents=50,customers=50,tickets=100 --tokens {path}")
        })?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is no tokens file as `hub seed --fleet` writes it", path.display()))
    }

    /// Seats `subscribers` clients at each of the first `tickets` tickets: its customer, and agents.
    ///
    /// # Errors
    /// When the fleet is too small; the words say what is missing.
    pub fn seats(&self, tickets: usize, subscribers: usize) -> anyhow::Result<Vec<Vec<Seat>>> {
        ensure!(subscribers >= 2, "--subscribers must be at least 2: a ticket's customer and an agent");
        if self.tickets.len() < tickets {
            bail!("--tickets {tickets}, but the tokens file holds {} tickets", self.tickets.len());
        }
        let agents = subscribers - 1;
        if self.agents.len() < agents {
            bail!(
                "--subscribers {subscribers} needs {agents} agents for each ticket, the tokens file holds {}",
                self.agents.len()
            );
        }
        self.tickets.iter().take(tickets).enumerate().map(|(index, ticket)| self.seats_at(index, *ticket, agents)).collect()
    }

    /// Seats so many clients at each of the first tickets: its customer, and agents by turns, also more than once at a ticket.
    ///
    /// # Errors
    /// When the fleet is too small; the words say what is missing.
    pub fn crowd(&self, sizes: &[usize]) -> anyhow::Result<Vec<Vec<Seat>>> {
        ensure!(
            self.tickets.len() >= sizes.len(),
            "--tickets {}, but the tokens file holds {} tickets",
            sizes.len(),
            self.tickets.len()
        );
        ensure!(!self.agents.is_empty(), "the tokens file holds no agents");
        let mut agents = self.agents.iter().cycle();
        let at = |(ticket, size): (&FleetTicket, &usize)| {
            let seat = |member: &Member, view| Seat { member: member.clone(), ticket: ticket.id, view };
            let mut seats = vec![seat(self.requester(*ticket)?, View::Thread)];
            seats.extend(agents.by_ref().take(size.saturating_sub(1)).map(|agent| seat(agent, View::Ticket)));
            Ok(seats)
        };
        self.tickets.iter().zip(sizes).map(at).collect()
    }

    /// Seats so many agents at each of the first tickets, every `second_tab`-th of them on a second device too, and the customer of
    /// every `with_customer`-th ticket, from the first on.
    ///
    /// # Errors
    /// When the fleet is too small; the words say what is missing.
    pub fn teams(&self, sizes: &[usize], second_tab: usize, with_customer: usize) -> anyhow::Result<Vec<Vec<Seat>>> {
        ensure!(
            self.tickets.len() >= sizes.len(),
            "--tickets {}, but the tokens file holds {} tickets",
            sizes.len(),
            self.tickets.len()
        );
        let (all, most) = (self.agents.len(), sizes.iter().copied().max().unwrap_or(0));
        ensure!(all >= most, "{most} agents at one ticket, but the tokens file holds {all} agents");
        let mut agents = self.agents.iter().cycle();
        let at = |(index, (ticket, size)): (usize, (&FleetTicket, &usize))| {
            let seat = |member: &Member, view| Seat { member: member.clone(), ticket: ticket.id, view };
            let mut seats = Vec::new();
            for (place, agent) in agents.by_ref().take(*size).enumerate() {
                let devices = if (place + 1).is_multiple_of(second_tab) { 2 } else { 1 };
                seats.extend((0..devices).map(|_| seat(agent, View::Ticket)));
            }
            if index.is_multiple_of(with_customer) {
                seats.push(seat(self.requester(*ticket)?, View::Thread));
            }
            Ok(seats)
        };
        self.tickets.iter().zip(sizes).enumerate().map(at).collect()
    }

    /// So many people, each with a topic when `topics` says so. By turns, so that all get equally many sockets.
    ///
    /// # Errors
    /// When the fleet is too small; the words say what is missing.
    pub fn people(&self, count: usize, topics: Topics) -> anyhow::Result<Vec<(Member, Option<Topic>)>> {
        ensure!(!self.agents.is_empty() && !self.customers.is_empty(), "the tokens file holds no agents or no customers");
        let agents = self.agents.iter().cycle().cloned();
        Ok(match topics {
            Topics::None => {
                let everybody = self.agents.iter().chain(&self.customers).cycle();
                everybody.take(count).map(|member| (member.clone(), None)).collect()
            }
            Topics::Workspace => agents.take(count).map(|agent| (agent, Some(Topic::Workspace))).collect(),
            Topics::Thread => {
                ensure!(!self.tickets.is_empty(), "--topics thread, but the tokens file holds no tickets");
                let at_ticket = |(ticket, agent): (&FleetTicket, Member)| {
                    let customer = self.requester(*ticket)?.clone();
                    anyhow::Ok([(customer, Some(Topic::Thread(ticket.id))), (agent, Some(Topic::Ticket(ticket.id)))])
                };
                let pairs = self.tickets.iter().cycle().zip(agents).take(count.div_ceil(2)).map(at_ticket);
                pairs.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().take(count).collect()
            }
        })
    }

    fn requester(&self, ticket: FleetTicket) -> anyhow::Result<&Member> {
        self.customers.iter().find(|customer| customer.user_id == ticket.requester_id).with_context(|| {
            format!("the tokens file holds ticket {} of {}, but no token of that customer", ticket.id, ticket.requester_id)
        })
    }

    fn seats_at(&self, index: usize, ticket: FleetTicket, agents: usize) -> anyhow::Result<Vec<Seat>> {
        let customer = self.requester(ticket)?;
        let seat = |member: &Member, view| Seat { member: member.clone(), ticket: ticket.id, view };
        // Every ticket begins where the one before it ended, so that all agents get equally many.
        let agents = self.agents.iter().cycle().skip(index * agents % self.agents.len()).take(agents);
        Ok(std::iter::once(seat(customer, View::Thread)).chain(agents.map(|agent| seat(agent, View::Ticket))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn fleet(agents: u8, customers: u8, tickets: u8) -> Fleet {
        let user = |kind: u8, n: u8| format!("00000000-0000-0000-00{kind:02}-0000000000{n:02}");
        let members = |kind: u8, count: u8| {
            (0..count)
                .map(|n| serde_json::json!({"email": "x@x.test", "token": "t", "user_id": user(kind, n)}))
                .collect::<Vec<_>>()
        };
        let tickets: Vec<_> =
            (0..tickets).map(|n| serde_json::json!({"id": user(3, n), "requester_id": user(2, n % customers)})).collect();
        let file = serde_json::json!({"workspace": "acme", "agents": members(1, agents), "customers": members(2, customers), "tickets": tickets});
        serde_json::from_value(file).expect("a tokens file")
    }

    #[test]
    fn every_ticket_gets_its_customer_and_different_agents() {
        let seats = fleet(5, 2, 4).seats(4, 4).expect("large enough");
        let mut load = BTreeMap::<UserId, usize>::new();
        for at_ticket in &seats {
            assert_eq!(at_ticket.iter().filter(|seat| seat.view == View::Thread).count(), 1);
            let users: BTreeSet<UserId> = at_ticket.iter().map(|seat| seat.member.user_id).collect();
            assert_eq!(users.len(), 4);
            for seat in at_ticket.iter().filter(|seat| seat.view == View::Ticket) {
                *load.entry(seat.member.user_id).or_default() += 1;
            }
        }
        assert!(load.values().all(|count| (2..=3).contains(count)), "{load:?}");
    }

    #[test]
    fn teams_have_second_devices_and_some_of_them_their_customer() {
        let seats = fleet(3, 2, 4).teams(&[2, 3, 1], 2, 2).expect("large enough");
        let of = |view| -> Vec<usize> {
            seats.iter().map(|at_ticket| at_ticket.iter().filter(|seat| seat.view == view).count()).collect()
        };
        assert_eq!((of(View::Ticket), of(View::Thread)), (vec![3, 4, 1], vec![1, 0, 1]));
        let people: BTreeSet<UserId> = seats[1].iter().map(|seat| seat.member.user_id).collect();
        assert_eq!(people.len(), 3, "one of them at two devices");
        assert!(fleet(2, 2, 4).teams(&[3], 2, 2).expect_err("too few").to_string().contains("holds 2 agents"));
    }

    #[test]
    fn a_crowd_has_the_size_that_was_asked_for_also_with_few_agents() {
        let sizes = shared_out(14, 4);
        assert_eq!(sizes, [4, 4, 3, 3]);
        let seats = fleet(2, 2, 4).crowd(&sizes).expect("large enough");
        assert_eq!(seats.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
        let agents = seats.iter().flatten().filter(|seat| seat.view == View::Ticket);
        let first = agents.clone().filter(|seat| seat.member.user_id == seats[0][1].member.user_id).count();
        assert_eq!((agents.count(), first), (10, 5), "agents sit equally often");
        assert!(fleet(2, 2, 4).crowd(&[2; 5]).expect_err("too few tickets").to_string().contains("holds 4 tickets"));
    }

    #[test]
    fn idle_people_watch_what_they_may() {
        let fleet = fleet(3, 2, 4);
        let topics = |topics| -> Vec<Option<Topic>> {
            fleet.people(6, topics).expect("large enough").into_iter().map(|(_, topic)| topic).collect()
        };
        assert_eq!(topics(Topics::None), [None; 6]);
        assert_eq!(topics(Topics::Workspace), [Some(Topic::Workspace); 6]);
        let watched = topics(Topics::Thread);
        let threads = watched.iter().filter(|topic| matches!(topic, Some(Topic::Thread(_)))).count();
        assert_eq!((watched.len(), threads), (6, 3));
        let customers: BTreeSet<_> = fleet.customers.iter().map(|customer| customer.user_id).collect();
        for (member, topic) in fleet.people(6, Topics::Thread).expect("large enough") {
            assert_eq!(customers.contains(&member.user_id), matches!(topic, Some(Topic::Thread(_))));
        }
    }

    #[test]
    fn a_fleet_that_is_too_small_says_what_is_missing() {
        for (tickets, subscribers, words) in [(5, 2, "holds 4 tickets"), (1, 7, "needs 6 agents"), (1, 1, "at least 2")] {
            let error = fleet(5, 2, 4).seats(tickets, subscribers).expect_err("too small").to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_missing_file_says_how_to_make_it() {
        let error = Fleet::read(Path::new("/nowhere/tokens.json")).expect_err("missing").to_string();
        assert!(error.contains("/nowhere/tokens.json") && error.contains("hub seed --fleet"), "{error}");
    }
}
