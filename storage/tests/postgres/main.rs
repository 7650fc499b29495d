//! The store against a real Postgres (`TANDEM_TEST_PG`): one binary, one database per test.

mod accounts;
mod audit;
mod catalogue;
mod contract;
mod drafts;
mod lists;
mod lost_answers;
mod start;
mod statements;
mod telling;
mod tenancy;
mod workspaces;
mod world;
mod writer;
