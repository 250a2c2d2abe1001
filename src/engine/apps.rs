//! Whose request budget a call counts against. Anybody may write the public id of another's app into a Secret of theirs: until
//! TikTok has taken an app's id together with its secret, the two have a budget of their own.

use std::collections::BTreeSet;

use secrecy::SecretString;

use super::account::AccountId;
use super::connection::{APP_SECRET, fingerprint};
use super::doors::Name;
use super::state::State;
use crate::platform::{AuthProblem, Call, ErrorClass, PlatformError};

/// Ids of apps and fingerprints of their secrets that TikTok has taken, since this process began.
#[derive(Debug, Default)]
pub struct Apps {
    taken: BTreeSet<(String, String)>,
}

impl State {
    /// The name of the budget that calls of an app with this secret count against.
    pub(super) fn budget_of(&self, app: &str, secret: &SecretString) -> String {
        let both = (app.to_string(), fingerprint(&[secret]));
        match self.apps.taken.contains(&both) {
            true => both.0,
            // No id of an app has a space in it that counts.
            false => format!("{} {}", both.0, both.1),
        }
    }

    /// The same for the calls of an account.
    pub(super) fn budget_of_account(&self, id: &AccountId) -> String {
        let connection = self.accounts.get(id).map(|a| &a.connection);
        let secret = connection.and_then(|name: &Name| {
            let held = self.connections.get(name)?.held()?;
            held.data.get(APP_SECRET)
        });
        match secret {
            Some(secret) => self.budget_of(&id.app, secret),
            None => format!("{} ", id.app),
        }
    }

    /// What an answer says about the app that a call was made in the name of. Only a call that shows the app's secret says
    /// anything.
    pub(super) fn learn_app<R>(
        &mut self,
        app: &str,
        secret: &SecretString,
        call: &Call,
        result: &Result<R, PlatformError>,
    ) {
        if !call.shows_app_secret() {
            return;
        }
        match result {
            Ok(_) => {
                let own = self.budget_of(app, secret);
                let both = (app.to_string(), fingerprint(&[secret]));
                if self.apps.taken.insert(both) {
                    self.budgets.rename(&own, app);
                }
            }
            Err(error) if error.class == ErrorClass::Auth(AuthProblem::AppRefused) => {
                let both = (app.to_string(), fingerprint(&[secret]));
                self.apps.taken.remove(&both);
            }
            Err(_) => {}
        }
    }
}
