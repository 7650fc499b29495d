//! Who is it? Signing in with a password, knowing a token again, and what a request carries to prove it.
//!
//! A sign-in is an opaque token of 256 random bits; only its SHA-256 is stored. Browsers carry it in a cookie, programs in
//! `Authorization: Bearer`. There is no cache: a revoked sign-in is unknown at the very next request.

mod attempts;
mod authenticator;
mod credentials;
mod password;
mod signed;
mod token;

pub use authenticator::{Authenticator, Credentials, Opened};
pub use credentials::{Carrier, carried, client_address};
pub use signed::{Signed, asker, foreign_page, has_own_origin};
pub use token::Token;
