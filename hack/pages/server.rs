//! Serves the public pages from canned data, for hack/pages-check and for whoever wants to look at them:
//!
//! ```text
//! cargo run --example pages        # prints the addresses
//! ```

// A program for developers: it stops where it cannot go on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use jiff::{Timestamp, ToSpan};
use secrecy::{ExposeSecret, SecretString};
use tiktok_ads_operator::http::backend::{
    Advertiser, Advertisers, At, Authorised, Backend, Begun, ConnectionPage, Delivery, Leader,
    PAGE_SIZE, Passed, PassedReply, Problem, Rotation, Search, Taken, TokenFacts,
};
use tiktok_ads_operator::http::public::{Limits, PublicServer, PublicSettings};

/// Names as they come: long, without spaces, of other scripts, and hostile.
const NAMES: &[&str] = &[
    "Shop Germany",
    "Shop Germany (do not use, moved to the agency's Business Center in March, ask Ann before you touch it)",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "店铺 東京 – 秋のキャンペーン",
    "متجر القاهرة",
    "<script>alert('x')</script>",
    "",
];

struct Canned {
    /// Where "TikTok" is: an address of its own on this machine.
    platform: String,
}

fn time(hours: i64) -> Timestamp {
    let noon: Timestamp = "2026-12-01T12:00:00Z".parse().unwrap();
    noon + hours.hours()
}

/// What the page of a connection shows, by the connection's name.
fn shown(name: &str, search: &Search) -> Option<ConnectionPage> {
    let account = Advertiser {
        id: "7123456789012345678".into(),
        name: "Shop Germany".into(),
    };
    let refreshable = TokenFacts {
        profile: "Refreshable".into(),
        expires_at: Some(time(18)),
        rotates_at: Some(time(12)),
        last_rotation: Some(Rotation {
            at: time(-6),
            succeeded: true,
            message: None,
        }),
    };
    let all: Vec<Advertiser> = (0..230)
        .map(|n| Advertiser {
            id: format!("71234567890123{n:05}"),
            name: NAMES[n % NAMES.len()].to_owned(),
        })
        .filter(|a| {
            a.name.to_lowercase().contains(&search.text.to_lowercase())
                || a.id.contains(&search.text)
        })
        .collect();
    let advertisers = Advertisers {
        shown: all
            .iter()
            .skip(search.page * PAGE_SIZE)
            .take(PAGE_SIZE)
            .cloned()
            .collect(),
        found: all.len(),
        all: 230,
    };
    Some(match name {
        "active" => ConnectionPage {
            phase: "Active".into(),
            message: Some("The ad account can be read and written.".into()),
            advertiser: Some(account),
            advertiser_in_manifest: true,
            token: Some(refreshable),
            reauthorise: Some("canned-ticket".into()),
            ..ConnectionPage::default()
        },
        "read-only" => ConnectionPage {
            phase: "ReadOnly".into(),
            banner: Some(
                "The token could not be renewed since 2026-12-01 06:00 UTC (TikTok: 40107, the refresh token is incorrect). \
                 Only pauses are written; reading works until 2026-12-01 18:00 UTC. Authorise again: \
                 https://ads.example.com/connect/growth/read-only"
                    .into(),
            ),
            advertiser: Some(account),
            advertiser_in_manifest: true,
            token: Some(TokenFacts {
                last_rotation: Some(Rotation {
                    at: time(-6),
                    succeeded: false,
                    message: Some("TikTok says: the refresh token is incorrect (40107)".into()),
                }),
                ..refreshable
            }),
            missing_scopes: vec!["Ads management".into(), "Reporting: Consolidated report".into()],
            ..ConnectionPage::default()
        },
        "pick" => ConnectionPage {
            phase: "AwaitingAdvertiser".into(),
            token: Some(TokenFacts {
                profile: "LongLived".into(),
                ..TokenFacts::default()
            }),
            advertisers,
            ..ConnectionPage::default()
        },
        "pending" => ConnectionPage {
            phase: "Pending".into(),
            ..ConnectionPage::default()
        },
        "hostile" => ConnectionPage {
            phase: "Active".into(),
            banner: Some(NAMES[2].repeat(3)),
            message: Some("<img src=https://evil.example/x>".into()),
            advertiser: Some(Advertiser {
                id: "7".repeat(60),
                name: NAMES[2].repeat(4),
            }),
            token: Some(TokenFacts {
                profile: "Expiring".into(),
                expires_at: Some(time(5)),
                ..TokenFacts::default()
            }),
            advertisers,
            ..ConnectionPage::default()
        },
        _ => return None,
    })
}

impl Backend for Canned {
    fn leader(&self) -> Leader {
        Leader::Here
    }

    async fn page(
        &self,
        at: &At,
        session: &SecretString,
        search: &Search,
    ) -> Option<ConnectionPage> {
        (session.expose_secret() == "session").then(|| shown(&at.name, search))?
    }

    async fn begin(&self, at: &At, ticket: &SecretString) -> Result<Begun, Problem> {
        if ticket.expose_secret() != "canned-ticket" {
            return Err(Problem::Ticket);
        }
        Ok(Begun {
            // What TikTok's page would do after the approval, without the page.
            authorise_url: format!("{}/portal/auth?state={}", self.platform, at.name).into(),
            cookie: "cookie".into(),
        })
    }

    async fn authorise(
        &self,
        state: &SecretString,
        code: &SecretString,
        _: &SecretString,
    ) -> Result<Authorised, Problem> {
        match code.expose_secret() {
            "good" => Ok(Authorised {
                at: At::new("growth", state.expose_secret()).ok_or(Problem::State)?,
                session: "session".into(),
            }),
            "refused" => Err(Problem::CodeRefused(
                "40110: The auth_code is invalid, has been used or has expired. (log id 20261201120000ABCDEF0123456789ABCDEF0123456789)".into(),
            )),
            _ => Err(Problem::NotGranted(format!(
                "The manifest names ad account {}, which the approval does not reach.",
                "7".repeat(19)
            ))),
        }
    }

    async fn pick(&self, _: &At, _: &SecretString, _: &str) -> Result<(), Problem> {
        Ok(())
    }

    async fn event(&self, _: &At, _: Delivery) -> Taken {
        Taken::Refused
    }

    async fn pass_on(&self, _: &str, _: Passed) -> Result<PassedReply, String> {
        Err("nobody else is there".into())
    }
}

#[tokio::main]
async fn main() {
    let server = PublicServer::bind(([127, 0, 0, 1], 0).into())
        .await
        .unwrap();
    let origin = format!("http://{}", server.address());
    let platform = platform(origin.clone()).await;
    println!("pages at {origin}, such as {origin}/connect/growth/pick?ticket=canned-ticket");
    let (_stop, stopping) = tokio::sync::watch::channel(false);
    let settings = PublicSettings {
        origin,
        authorise_origins: vec![platform.clone()],
        limits: Limits::default(),
    };
    server
        .serve(Arc::new(Canned { platform }), settings, stopping)
        .await;
}

/// "TikTok": sends every browser back at once, through a second address as TikTok's log-in does.
async fn platform(origin: String) -> String {
    use axum::extract::RawQuery;
    use axum::response::Redirect;
    use axum::routing::get;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new()
        .route(
            "/portal/auth",
            get(async |RawQuery(query): RawQuery| {
                Redirect::to(&format!("/login?{}", query.unwrap_or_default()))
            }),
        )
        .route(
            "/login",
            get(async move |RawQuery(query): RawQuery| {
                let query = query.unwrap_or_default();
                Redirect::to(&format!("{origin}/oauth/callback?auth_code=good&{query}"))
            }),
        );
    tokio::spawn(async move { axum::serve(listener, router).await });
    here
}
