//! TikTok's text forms of time. All values are milliseconds since 1970-01-01 UTC.

/// One day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// Days since 1970-01-01 to (year, month, day), proleptic Gregorian.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// (year, month, day) to days since 1970-01-01.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// (hour, minute, second) of the UTC day.
fn clock(ms: i64) -> (i64, i64, i64) {
    let second = ms.rem_euclid(DAY_MS) / 1_000;
    (second / 3_600, second / 60 % 60, second % 60)
}

/// `YYYY-MM-DD HH:MM:SS`, as in `create_time` and `modify_time`.
pub(super) fn datetime(ms: i64) -> String {
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    let (hour, minute, second) = clock(ms);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// `YYYYMMDDHHMMSS`, the head of the envelope's `request_id`.
pub(super) fn compact(ms: i64) -> String {
    datetime(ms).replace(['-', ' ', ':'], "")
}

/// The HTTP `Date` header.
pub(super) fn http_date(ms: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let day_number = ms.div_euclid(DAY_MS);
    let (year, month, day) = civil(day_number);
    let (hour, minute, second) = clock(ms);
    let weekday = DAYS[usize::try_from(day_number.rem_euclid(7)).unwrap_or(0)];
    let month = MONTHS[usize::try_from(month - 1).unwrap_or(0)];
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Reads `YYYY-MM-DD HH:MM:SS` or `YYYY-MM-DD` (midnight). `None` for anything else, impossible dates included.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (date, clock_text) = match text.split_once(' ') {
        Some((date, clock_text)) => (date, clock_text),
        None => (text, "00:00:00"),
    };
    let part = |text: &str, width: usize| -> Option<i64> {
        (text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse().ok())
            .flatten()
    };
    let mut date = date.split('-');
    let year = part(date.next()?, 4)?;
    let month = part(date.next()?, 2)?;
    let day = part(date.next()?, 2)?;
    let mut clock_text = clock_text.split(':');
    let hour = part(clock_text.next()?, 2)?;
    let minute = part(clock_text.next()?, 2)?;
    let second = part(clock_text.next()?, 2)?;
    if date.next().is_some()
        || clock_text.next().is_some()
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let number = days(year, month, day);
    (civil(number) == (year, month, day))
        .then_some(number * DAY_MS + (hour * 3_600 + minute * 60 + second) * 1_000)
}

/// The same date and clock so many years later; 28 February where there is no 29th.
pub(super) fn add_years(ms: i64, years: i64) -> i64 {
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    let year = year + years;
    let number = days(year, month, day);
    let number = if civil(number) == (year, month, day) {
        number
    } else {
        days(year, month, 28)
    };
    number * DAY_MS + ms.rem_euclid(DAY_MS)
}

/// The offset from UTC of an account's time zone as TikTok writes it: `Etc/GMT+8` is UTC−8 (the sign is POSIX's).
/// Region names need a time-zone table, which the sandbox does not carry: `None`.
pub(super) fn offset_ms(timezone: &str) -> Option<i64> {
    let rest = match timezone {
        "UTC" | "Etc/UTC" | "Etc/GMT" => return Some(0),
        other => other.strip_prefix("Etc/GMT")?,
    };
    let hours: i64 = rest.parse().ok()?;
    (-14..=12).contains(&hours).then_some(-hours * 3_600_000)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_of_a_known_instant() {
        // Saturday, 21 August 2021.
        let ms = 1_629_530_088_000;
        assert_eq!(datetime(ms), "2021-08-21 07:14:48");
        assert_eq!(compact(ms), "20210821071448");
        assert_eq!(http_date(ms), "Sat, 21 Aug 2021 07:14:48 GMT");
        assert_eq!(parse("2021-08-21 07:14:48"), Some(ms));
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn impossible_times_are_refused() {
        for text in [
            "2021-02-29 00:00:00",
            "2021-13-01",
            "2021-1-1",
            "2021-01-01 24:00:00",
            "2021-01-01T00:00:00Z",
            "",
            "x",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("2024-02-29"), Some(1_709_164_800_000));
    }

    #[test]
    fn ten_years_later_is_the_same_day_and_clock() {
        let later = |text| datetime(add_years(parse(text).unwrap(), 10));
        assert_eq!(later("2026-11-23 12:00:01"), "2036-11-23 12:00:01");
        assert_eq!(later("2028-02-29 00:00:00"), "2038-02-28 00:00:00");
        assert_eq!(
            datetime(add_years(parse("2028-02-29").unwrap(), 4)),
            "2032-02-29 00:00:00"
        );
    }

    #[test]
    fn etc_zones_have_the_posix_sign() {
        assert_eq!(offset_ms("Etc/GMT+8"), Some(-8 * 3_600_000));
        assert_eq!(offset_ms("Etc/GMT-1"), Some(3_600_000));
        assert_eq!(offset_ms("Europe/London"), None);
    }

    proptest::proptest! {
        #[test]
        fn parse_reads_what_datetime_writes(seconds in 0_i64..4_102_444_800) {
            proptest::prop_assert_eq!(parse(&datetime(seconds * 1_000)), Some(seconds * 1_000));
        }
    }
}
