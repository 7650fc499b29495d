//! The hub as strangers meet it: a real one per test or shared, over real sockets, on a real Postgres.

mod docs;
mod doctor;
mod fixture;
mod http;
mod hub;
mod limits;
mod logs;
mod metrics;
mod rest_bodies;
mod rest_comments;
mod rest_doors;
mod rest_sessions;
mod rest_tickets;
mod rest_visibility;
mod socket;
mod strangers;
mod ws_bad_input;
mod ws_claims;
mod ws_failures;
mod ws_handshake;
mod ws_hello;
mod ws_me;
mod ws_presence;
mod ws_rfc6455;
mod ws_thread;
