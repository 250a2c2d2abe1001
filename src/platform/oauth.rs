//! The calls that make, change and end an access token (R21), and the parts of them that TikTok leaves open.

use std::sync::LazyLock;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::json;

pub(super) const EXCHANGE: &str = "/open_api/v1.3/oauth2/access_token/";
pub(super) const REVOKE: &str = "/open_api/v1.3/oauth2/revoke_token/";
/// Where refreshes go when nobody says otherwise.
pub const REFRESH_PATH: &str = "/open_api/v1.3/oauth2/refresh_token/";

/// Longest token or code that we take. TikTok's have 40 characters.
const LONGEST_TOKEN: usize = 4096;
/// A lifetime beyond this is read as this: it stays a time that can be added to any other.
const LONGEST_LIFETIME: u64 = 100 * 366 * 86_400;

/// What TikTok's documentation leaves open or tells in two ways: where a token is refreshed, and under which names an
/// answer tells a lifetime or a refresh token. The operator's owner can set it; it is made once, at start-up.
///
/// Of several names that an answer has, the shortest lifetime counts and the first refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OauthDialect {
    refresh_path: String,
    expires_in: Vec<String>,
    refresh_token: Vec<String>,
    refresh_expires_in: Vec<String>,
}

/// A setting of [`OauthDialect`] that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialectError {
    #[error(
        "the refresh path {0:?} cannot be used: it has to begin and end with a slash and to consist of letters, digits, \
         '_', '-', '.' and single slashes, such as {REFRESH_PATH}"
    )]
    Path(String),
    #[error("{0:?} is no name of a field: use 1 to 64 letters, digits and '_', such as expires_in")]
    Name(String),
    #[error("no name is said for {0}: leave the setting out, or say at least one")]
    NoName(&'static str),
}

impl Default for OauthDialect {
    fn default() -> OauthDialect {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        OauthDialect {
            refresh_path: REFRESH_PATH.into(),
            expires_in: names(&["expires_in", "access_token_expire_in"]),
            refresh_token: names(&["refresh_token"]),
            refresh_expires_in: names(&["refresh_token_expires_in", "refresh_token_expire_in"]),
        }
    }
}

impl OauthDialect {
    /// What is documented, or seen with others.
    pub fn standard() -> &'static OauthDialect {
        static STANDARD: LazyLock<OauthDialect> = LazyLock::new(OauthDialect::default);
        &STANDARD
    }

    /// Another path for refreshes.
    pub fn with_refresh_path(mut self, path: &str) -> Result<OauthDialect, DialectError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.".contains(&byte);
        let usable = path.len() > 1
            && path.len() <= 200
            && path.starts_with('/')
            && path.ends_with('/')
            && path.bytes().all(plain)
            && !path[1..path.len() - 1]
                .split('/')
                .any(|part| part.is_empty() || part == "." || part == "..");
        if !usable {
            return Err(DialectError::Path(path.chars().take(200).collect()));
        }
        self.refresh_path = path.into();
        Ok(self)
    }

    /// Other names for the lifetime of the access token, in seconds.
    pub fn with_expiry_names(mut self, list: &[String]) -> Result<OauthDialect, DialectError> {
        self.expires_in = usable_names("the expiry", list)?;
        Ok(self)
    }

    /// Other names for the refresh token. The first is also the name under which a refresh sends it.
    pub fn with_refresh_names(mut self, list: &[String]) -> Result<OauthDialect, DialectError> {
        self.refresh_token = usable_names("the refresh token", list)?;
        Ok(self)
    }

    /// Other names for the lifetime of the refresh token, in seconds.
    pub fn with_refresh_expiry_names(
        mut self,
        list: &[String],
    ) -> Result<OauthDialect, DialectError> {
        self.refresh_expires_in = usable_names("the expiry of the refresh token", list)?;
        Ok(self)
    }

    /// The form in which calls carry it: for as long as the process lives. To be called once, at start-up.
    pub fn keep(self) -> &'static OauthDialect {
        Box::leak(Box::new(self))
    }

    /// The path of a refresh, with version and slashes.
    pub fn refresh_path(&self) -> &str {
        &self.refresh_path
    }
}

fn usable_names(of: &'static str, list: &[String]) -> Result<Vec<String>, DialectError> {
    let usable = |name: &str| {
        (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if list.is_empty() {
        return Err(DialectError::NoName(of));
    }
    match list.iter().find(|name| !usable(name)) {
        Some(name) => Err(DialectError::Name(name.chars().take(64).collect())),
        None => Ok(list.to_vec()),
    }
}

/// A token as TikTok issued it. What it is worth (R21) is decided by who keeps it.
#[derive(Clone, Debug)]
pub struct TokenReply {
    /// Never empty, and fit for a header.
    pub access_token: SecretString,
    /// Seconds from the answer on, never 0. `None`: no expiry.
    pub expires_in: Option<u64>,
    /// TikTok named a lifetime that is no number. `expires_in` is what else it said; the token may end sooner.
    pub lifetime_unreadable: bool,
    pub refresh_token: Option<SecretString>,
    /// Seconds from the answer on, never 0.
    pub refresh_expires_in: Option<u64>,
    /// The ids of permissions, in order, each once. Empty: the answer does not name them.
    pub scopes: Vec<u32>,
    /// The ad accounts that it reaches. Empty: the answer does not name them, which is what we ask for.
    pub advertisers: Vec<String>,
}

impl PartialEq for TokenReply {
    fn eq(&self, other: &TokenReply) -> bool {
        let shown = |token: &TokenReply| {
            (
                token.expires_in,
                token.lifetime_unreadable,
                token.refresh_expires_in,
            )
        };
        let secrets = |token: &TokenReply| {
            (
                token.access_token.expose_secret().to_owned(),
                token
                    .refresh_token
                    .as_ref()
                    .map(|refresh| refresh.expose_secret().to_owned()),
            )
        };
        shown(self) == shown(other)
            && secrets(self) == secrets(other)
            && self.scopes == other.scopes
            && self.advertisers == other.advertisers
    }
}

impl Eq for TokenReply {}

/// With thousands of ad accounts the list of them makes the exchange time out (Appendix B).
pub(super) fn exchange(app_id: &str, secret: &SecretString, code: &SecretString) -> Value {
    json!({
        "app_id": app_id,
        "secret": secret.expose_secret(),
        "auth_code": code.expose_secret(),
        "return_advertiser_ids": false,
    })
}

pub(super) fn refresh(
    app_id: &str,
    secret: &SecretString,
    refresh_token: &SecretString,
    dialect: &OauthDialect,
) -> Value {
    let mut body = json!({
        "app_id": app_id,
        "secret": secret.expose_secret(),
        "grant_type": "refresh_token",
    });
    if let Some(name) = dialect.refresh_token.first() {
        body[name] = json!(refresh_token.expose_secret());
    }
    body
}

pub(super) fn revoke(app_id: &str, secret: &SecretString, access_token: &SecretString) -> Value {
    json!({
        "app_id": app_id,
        "secret": secret.expose_secret(),
        "access_token": access_token.expose_secret(),
    })
}

/// The token in an answer. `None` without one that can be used.
pub(super) fn token(data: &Value, dialect: &OauthDialect) -> Option<TokenReply> {
    let access_token = secret(data, "access_token")?;
    let life = lifetime(data, &dialect.expires_in);
    Some(TokenReply {
        access_token,
        expires_in: life.shortest,
        lifetime_unreadable: life.unreadable,
        refresh_token: dialect
            .refresh_token
            .iter()
            .find_map(|name| secret(data, name)),
        refresh_expires_in: lifetime(data, &dialect.refresh_expires_in).shortest,
        scopes: scopes(data),
        advertisers: json::ids(data, "advertiser_ids"),
    })
}

/// The accounts that lost access. TikTok may leave the list out.
pub(super) fn revoked(data: &Value) -> Vec<String> {
    json::ids(data, "advertiser_ids")
}

/// A token: visible ASCII without spaces, which is what a header can carry.
fn secret(data: &Value, name: &str) -> Option<SecretString> {
    let text = data.get(name)?.as_str()?;
    let usable = (1..=LONGEST_TOKEN).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    usable.then(|| SecretString::from(text))
}

struct Lifetime {
    shortest: Option<u64>,
    unreadable: bool,
}

/// Absent, null, empty and 0 say that there is no end.
fn lifetime(data: &Value, names: &[String]) -> Lifetime {
    let mut life = Lifetime {
        shortest: None,
        unreadable: false,
    };
    for value in names.iter().filter_map(|name| data.get(name)) {
        let seconds = match value {
            Value::Null => Some(0),
            Value::String(text) if text.is_empty() => Some(0),
            Value::String(text) => text.parse().ok(),
            other => other
                .as_u64()
                .or_else(|| json::as_whole(other).and_then(|whole| u64::try_from(whole).ok())),
        };
        match seconds {
            None => life.unreadable = true,
            Some(0) => {}
            Some(seconds) => {
                let seconds = seconds.min(LONGEST_LIFETIME);
                life.shortest = Some(life.shortest.map_or(seconds, |known| known.min(seconds)));
            }
        }
    }
    life
}

/// `scope`: a list of numbers; also read as texts, or as one text with commas.
fn scopes(data: &Value) -> Vec<u32> {
    let one = |value: &Value| match value {
        Value::Number(number) => number.as_u64().and_then(|number| number.try_into().ok()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let mut scopes: Vec<u32> = match data.get("scope") {
        Some(Value::Array(list)) => list.iter().filter_map(one).collect(),
        Some(Value::String(text)) => text
            .trim_matches(['[', ']'])
            .split(',')
            .filter_map(|part| part.trim().parse().ok())
            .collect(),
        _ => Vec::new(),
    };
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}
