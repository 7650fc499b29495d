//! The token of a sign-in: which workspace to ask, and 256 random bits. Never logged, never stored.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hub_core::ids::WorkspaceId;
use hub_core::rules::audit::Hash;
use sha2::{Digest, Sha256};
use uuid::Uuid;

const PREFIX: &str = "tdm_";
const WORKSPACE_CHARS: usize = 32;
const SECRET_BYTES: usize = 32;

/// A token as text: `tdm_`, the workspace's UUID in 32 hex digits, `_`, and the secret in base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    workspace: WorkspaceId,
    text: String,
}

impl Token {
    /// A new one.
    pub fn random(workspace: WorkspaceId) -> Self {
        let mut secret = [0_u8; SECRET_BYTES];
        rand::fill(&mut secret[..]);
        let text = format!("{PREFIX}{}_{}", workspace.uuid().simple(), URL_SAFE_NO_PAD.encode(secret));
        Self { workspace, text }
    }

    /// Reads what a client sent; none for what no hub ever gave out.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let (workspace, secret) = rest.split_at_checked(WORKSPACE_CHARS)?;
        let secret = URL_SAFE_NO_PAD.decode(secret.strip_prefix('_')?).ok()?;
        let id = Uuid::try_parse(workspace).ok()?;
        let is_canonical = secret.len() == SECRET_BYTES && workspace == id.simple().to_string();
        is_canonical.then(|| Self { workspace: WorkspaceId::new(id), text: text.to_owned() })
    }

    /// The tenant whose sign-ins are to be asked. A claim, until the hash is found there.
    pub const fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// What is stored and looked up.
    pub fn hash(&self) -> Hash {
        Sha256::digest(self.text.as_bytes()).into()
    }

    /// The text, for the one who signed in.
    pub fn into_text(self) -> String {
        self.text
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(of {}, secret)", self.workspace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_no_two_are_alike() {
        let workspace = WorkspaceId::new(Uuid::from_u128(7));
        let (one, two) = (Token::random(workspace), Token::random(workspace));
        assert_ne!(one.hash(), two.hash());
        let again = Token::parse(&one.clone().into_text()).expect("our own");
        assert_eq!((again.workspace(), again.hash()), (workspace, one.hash()));
        assert!(!format!("{one:?}").contains(&one.text[37..]));
    }

    #[test]
    fn what_no_hub_gave_out_is_no_token() {
        let good = Token::random(WorkspaceId::new(Uuid::from_u128(7))).into_text();
        let (upper, short) = (good.replacen("tdm_0", "tdm_A", 1).to_uppercase(), &good[..good.len() - 1]);
        for bad in ["", "tdm_", "tdm_é", "Bearer x", &upper, short, &format!("{good}A"), &format!(" {good}"), &good[4..]] {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
    }
}
