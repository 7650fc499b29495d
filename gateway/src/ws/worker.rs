//! The fan-out of this HTTP worker: started when its first socket opens, on the worker's own thread.

use std::cell::OnceCell;

use actors::Tickets;
use actors::fanout::FanoutHandle;

thread_local! {
    static FANOUT: OnceCell<FanoutHandle> = const { OnceCell::new() };
}

/// The fan-out of the calling worker.
pub fn fanout(tickets: &Tickets) -> FanoutHandle {
    FANOUT.with(|fanout| fanout.get_or_init(|| FanoutHandle::start(tickets.clone())).clone())
}
