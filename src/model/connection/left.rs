//! What a connection leaves behind when it goes, and how its last event tells it (R22).

use jiff::Timestamp;

use super::Revoked;
use crate::model::ceiling::{CeilingView, Spends, row_per_day};
use crate::platform::{Cents, Kind, Row};

/// An event holds 1 kB, and a namespace that is ending costs some of it for the connection's name.
const ROOM: usize = 850;

/// What is left on TikTok.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// It never had an ad account.
    NoAccount,
    /// Another connection, `namespace/name`, goes on to look after the account.
    LookedAfter(String),
    Account(AccountLeft),
}

/// What is on in the ad account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountLeft {
    /// When the oldest of the lists was begun that together show everything that may spend. `None`: they were not read
    /// completely, so more than what is named here may be on.
    pub read: Option<Timestamp>,
    /// Each campaign that is on, with what it may spend.
    pub on: Vec<String>,
}

impl AccountLeft {
    /// Names what is on in an account. `read` as above, `row` finds a row as last known.
    pub fn new<'a>(
        view: &CeilingView,
        read: Option<Timestamp>,
        row: impl Fn(Kind, &str) -> Option<&'a Row>,
        currency: &str,
    ) -> Self {
        let mut known = view.complete;
        let money = |kind, id: &str| match row(kind, id) {
            Some(row) => money(row, currency),
            None => "a budget that is not known".to_string(),
        };
        let on = view.on().map(|(id, spends)| match spends {
            Spends::Own => format!("{id} ({})", money(Kind::Campaign, id)),
            Spends::Unread => {
                known = false;
                format!("{id} (by ad groups that were not read)")
            }
            Spends::AdGroups(groups) if groups.is_empty() => {
                format!("{id} (no ad group in it is on)")
            }
            Spends::AdGroups(groups) => {
                let groups = groups
                    .into_iter()
                    .map(|group| format!("ad group {group}: {}", money(Kind::AdGroup, group)));
                format!("{id} ({})", groups.collect::<Vec<_>>().join("; "))
            }
        });
        let on = on.collect();
        Self {
            read: read.filter(|_| known),
            on,
        }
    }
}

/// What a row's own budget lets it spend.
fn money(row: &Row, currency: &str) -> String {
    let (Some(amount), Some(most)) = (row.budget, row_per_day(row, None)) else {
        return "without a budget".into();
    };
    match row.budget_mode.as_deref() {
        Some("BUDGET_MODE_TOTAL") => format!("a lifetime budget of {amount} {currency}"),
        // An increase by TikTok, or a dynamic budget.
        _ if Cents(most.most) > amount => {
            format!(
                "{amount} {currency} a day, on some days up to {}",
                Cents(most.most)
            )
        }
        _ => format!("{amount} {currency} a day"),
    }
}

/// The last event: whether somebody has to look at something, and what it says.
pub fn last_event(revoked: Option<&Revoked>, left: &Left) -> (bool, String) {
    let (stays, grant) = match revoked {
        Some(Revoked::Done) => (false, "; the token was revoked".to_string()),
        Some(Revoked::NoneHere(why)) => (false, format!("; {why}")),
        Some(Revoked::Stays(why)) => (true, format!("; {why}")),
        None => (false, String::new()),
    };
    let head = format!("disconnected{grant}; ");
    match left {
        Left::NoAccount => (stays, head + "it had no ad account"),
        Left::LookedAfter(other) => (
            stays,
            head + &format!("{other} goes on to look after its ad account"),
        ),
        Left::Account(account) => {
            let (warning, text) = told(account, ROOM.saturating_sub(head.len()));
            (stays || warning, head + &text)
        }
    }
}

fn told(account: &AccountLeft, room: usize) -> (bool, String) {
    let count = account.on.len();
    match (account.read, count) {
        (Some(read), 0) => {
            let at = read.strftime("%Y-%m-%dT%H:%M:%SZ");
            let text = format!("no campaign of the account was on when it was last read, at {at}");
            (false, text)
        }
        (Some(_), _) => {
            let head = match count {
                1 => "1 campaign of the account is still on: ".to_string(),
                _ => format!("{count} campaigns of the account are still on: "),
            };
            (true, list(head, &account.on, room))
        }
        (None, _) => {
            let head = "it is not known which campaigns of the account are on, because it was not read completely, or not lately: look in Ads Manager";
            match count {
                0 => (true, head.to_string()),
                _ => {
                    let head = format!("{head}; when last read these were: ");
                    (true, list(head, &account.on, room))
                }
            }
        }
    }
}

/// As many as there is room for, in bytes, and how many more there are.
fn list(mut text: String, all: &[String], room: usize) -> String {
    let more = |left: usize| format!(" and {left} more");
    for (n, one) in all.iter().enumerate() {
        let comma = if n == 0 { "" } else { ", " };
        let left = all.len() - n;
        if text.len() + comma.len() + one.len() + more(left).len() > room {
            // One that is too long for itself is still named, without what is in it.
            let name = one.split(' ').next().unwrap_or_default();
            return match n {
                0 if left == 1 => text + name,
                0 => text + name + &more(left - 1),
                _ => text + &more(left),
            };
        }
        text += comma;
        text += one;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(count: usize, one: &str) -> Left {
        Left::Account(AccountLeft {
            read: Some(Timestamp::UNIX_EPOCH),
            on: (0..count)
                .map(|n| format!("{one}{n} (50 USD a day)"))
                .collect(),
        })
    }

    #[test]
    fn r22_an_event_says_how_many_it_has_no_room_for() {
        let (warning, text) = last_event(Some(&Revoked::Done), &account(300, "17900000000000"));
        assert!(warning && text.len() <= ROOM, "{}", text.len());
        let named = text.matches("USD").count();
        assert!(
            text.ends_with(&format!(" and {} more", 300 - named)),
            "{text}"
        );
        let long = account(
            1,
            &format!("179 {}", "(ad group 1: 1 USD a day)".repeat(100)),
        );
        let (_, text) = last_event(None, &long);
        assert!(text.ends_with(": 179"), "{text}");
    }

    #[test]
    fn r22_a_warning_is_what_somebody_has_to_look_at() {
        let none = AccountLeft {
            read: Some(Timestamp::UNIX_EPOCH),
            on: Vec::new(),
        };
        let unread = Left::Account(AccountLeft::default());
        let off = Left::Account(none);
        let stays = Revoked::Stays("it stays".into());
        let imported = Revoked::NoneHere("imported".into());
        for (revoked, left, warning) in [
            (&Revoked::Done, &off, false),
            (&imported, &off, false),
            (&imported, &Left::NoAccount, false),
            (&imported, &Left::LookedAfter("shop/a".into()), false),
            (&Revoked::Done, &account(1, "1"), true),
            (&Revoked::Done, &unread, true),
            (&stays, &off, true),
            (&stays, &Left::NoAccount, true),
        ] {
            let said = last_event(Some(revoked), left);
            assert_eq!(said.0, warning, "{said:?}");
        }
        let said = last_event(None, &unread).1;
        assert!(!said.contains("no campaign"), "{said}");
    }
}
