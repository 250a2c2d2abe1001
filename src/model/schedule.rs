//! Times of schedules as TikTok writes them (R14).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::facts::Account;

/// `YYYY-MM-DD HH:MM:SS` in the zone that schedules of this account are written in.
pub fn write(at: Timestamp, account: Option<&Account>) -> String {
    at.to_zoned(zone(account))
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// The time that such a text names; `None` if it is no time.
pub fn read(text: &str, account: Option<&Account>) -> Option<Timestamp> {
    let time: DateTime = text.parse().ok()?;
    Some(time.to_zoned(zone(account)).ok()?.timestamp())
}

/// Times have to be written in the account's zone, and nobody knows that zone.
pub fn is_unknown(account: &Account) -> bool {
    account.schedule_in_account_zone && TimeZone::get(&account.timezone).is_err()
}

/// UTC, as the documentation has it, unless the connection says otherwise. In a zone that nobody knows nothing with a
/// schedule is made ([`is_unknown`]).
fn zone(account: Option<&Account>) -> TimeZone {
    account
        .filter(|a| a.schedule_in_account_zone)
        .and_then(|a| TimeZone::get(&a.timezone).ok())
        .unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn account(timezone: &str, schedule_in_account_zone: bool) -> Account {
        Account {
            app: "1".into(),
            advertiser: "2".into(),
            currency: "USD".into(),
            timezone: timezone.into(),
            schedule_in_account_zone,
            mode: None,
            access: crate::model::facts::Access::Full,
            suspended: None,
            pause_all: None,
            disconnecting: false,
            adoption: None,
            drift: None,
            caps: super::super::facts::Caps::default(),
        }
    }

    #[test]
    fn r14_times_are_utc_unless_the_connection_says_otherwise() {
        let at: Timestamp = "2026-12-01T12:00:00Z".parse().unwrap();
        let berlin = |in_zone| write(at, Some(&account("Europe/Berlin", in_zone)));
        assert_eq!(write(at, None), "2026-12-01 12:00:00");
        assert_eq!(berlin(false), "2026-12-01 12:00:00");
        assert_eq!(berlin(true), "2026-12-01 13:00:00");
        // POSIX counts the other way round: Etc/GMT+8 is eight hours behind UTC.
        let behind = write(at, Some(&account("Etc/GMT+8", true)));
        assert_eq!(behind, "2026-12-01 04:00:00");
        assert!(is_unknown(&account("Nowhere", true)));
        assert!(!is_unknown(&account("Nowhere", false)));
        assert!(!is_unknown(&account("Asia/Tokyo", true)));
        assert_eq!(read("soon", None), None);
    }

    proptest! {
        #[test]
        fn r14_what_is_written_is_read_back(second in 1_700_000_000i64..1_900_000_000, in_zone: bool) {
            let at = Timestamp::from_second(second).unwrap();
            // A zone without summer time: an hour that comes twice in autumn cannot be told apart.
            let account = account("Asia/Tokyo", in_zone);
            prop_assert_eq!(read(&write(at, Some(&account)), Some(&account)), Some(at));
        }
    }
}
