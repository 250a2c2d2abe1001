//! The engine's times and limits as flags. Whoever runs the operator may set them; no object can.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::engine::settings::Settings;

/// Times and limits of the engine. The defaults suit production; tests and demos shorten them.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Times and limits")]
pub struct Times {
    /// Between two full reads of an ad account. Stretched where it would use more than a fifth of the request budget.
    #[arg(long, value_name = "TIME", env = "SWEEP_INTERVAL", default_value = "60s", value_parser = duration)]
    pub sweep_interval: Duration,
    /// How long to wait after a write before it is read back: TikTok's lists are late, and several read-backs share a
    /// call.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    pub read_back_delay: Duration,
    /// Between the two look-ups that prove that an unclear create made nothing.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub absence_spacing: Duration,
    /// Between the deadline of an unclear create and the last of these look-ups.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub absence_after_deadline: Duration,
    /// How long a list of TikTok's may contradict our own write.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub settle: Duration,
    /// How long after an enable that was refused in review it is tried again, if no status has changed before.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = duration, hide_short_help = true)]
    pub review_again: Duration,
    /// From when on TikTok takes app, web and lead campaigns only as Smart+: a date (UTC) or a time with offset.
    #[arg(long, value_name = "DATE", env = "MANUAL_CREATION_CLOSES", default_value = "2027-01-01", value_parser = point)]
    pub manual_creation_closes: Timestamp,
    /// Between two lists that are read only to see whether a name is free.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration, hide_short_help = true)]
    pub names_interval: Duration,
    /// How old a list may be that proves that a name is free.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration, hide_short_help = true)]
    pub names_fresh: Duration,
    /// How often all objects are planned again in memory.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration, hide_short_help = true)]
    pub resync_interval: Duration,
    /// Deadline of one call to TikTok.
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration, hide_short_help = true)]
    pub call_deadline: Duration,
    /// How long a create may be under way before its mark has to be renewed.
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration, hide_short_help = true)]
    pub write_deadline: Duration,
    /// First wait after an error; it doubles.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration, hide_short_help = true)]
    pub backoff_first: Duration,
    /// Longest wait after an error.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration, hide_short_help = true)]
    pub backoff_longest: Duration,
    /// How often a pause that TikTok refused is tried again.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration, hide_short_help = true)]
    pub pause_again: Duration,
    /// How far TikTok's clock may be off what its replies say.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration, hide_short_help = true)]
    pub clock_slack: Duration,
    /// How long messages signed with the previous webhook key are accepted after the current one was replaced.
    #[arg(long, value_name = "TIME", default_value = "168h", value_parser = duration, hide_short_help = true)]
    pub previous_key_window: Duration,
    /// A webhook that was sent longer ago than this is dropped.
    #[arg(long, value_name = "TIME", default_value = "72h", value_parser = duration, hide_short_help = true)]
    pub webhook_max_age: Duration,
    /// How far the time in a webhook's TikTok-Signature may be off.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration, hide_short_help = true)]
    pub webhook_time_window: Duration,
    /// How long after a change TikTok is asked to send events about the review of an ad or ad group.
    #[arg(long, value_name = "TIME", default_value = "48h", value_parser = duration, hide_short_help = true)]
    pub review_events: Duration,
    /// Calls of one ad account at the same time; pauses have one more place of their own.
    #[arg(long, value_name = "COUNT", default_value = "3", value_parser = count, hide_short_help = true)]
    pub calls_in_flight: usize,
    /// Turns that wait for the API server at the same time.
    #[arg(long, value_name = "COUNT", default_value = "16", value_parser = count, hide_short_help = true)]
    pub turns_in_flight: usize,
    /// Status writes at the same time.
    #[arg(long, value_name = "COUNT", default_value = "8", value_parser = count, hide_short_help = true)]
    pub status_in_flight: usize,
}

impl Times {
    /// Writes them into the engine's settings.
    pub fn set(&self, settings: &mut Settings) {
        settings.sweep_every = self.sweep_interval;
        settings.names_every = self.names_interval;
        settings.names_fresh = self.names_fresh;
        settings.read_back_after = self.read_back_delay;
        settings.resync_every = self.resync_interval;
        settings.calls_in_flight = self.calls_in_flight;
        settings.turns_in_flight = self.turns_in_flight;
        settings.status_in_flight = self.status_in_flight;
        settings.call_deadline = self.call_deadline;
        settings.backoff = (self.backoff_first, self.backoff_longest);
        settings.pause_again = self.pause_again;
        settings.hearing.previous_key_for = self.previous_key_window;
        settings.hearing.webhook_max_age = self.webhook_max_age;
        settings.hearing.signature_window = self.webhook_time_window;
        settings.hearing.review_window = self.review_events;
        settings.model.write_deadline = self.write_deadline;
        settings.model.call_time = self.call_deadline;
        settings.model.absence_spacing = self.absence_spacing;
        settings.model.absence_after_deadline = self.absence_after_deadline;
        settings.model.settle = self.settle;
        settings.model.review_again = self.review_again;
        settings.model.clock_slack = self.clock_slack;
        settings.model.creatable.manual_closes = self.manual_creation_closes;
    }
}

/// Reads a time such as `60s`, `5m`, `1h30m` or `500ms`. A number needs its unit: 60 could be anything.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("write a time with its unit, such as 500ms, 60s, 5m or 1h30m, not {text:?}");
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let letters = &rest[digits..];
        let end = letters
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(letters.len());
        let millis: u64 = match &letters[..end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(wrong()),
        };
        let part = number.checked_mul(millis).ok_or_else(wrong)?;
        total = total
            .checked_add(Duration::from_millis(part))
            .ok_or_else(wrong)?;
        rest = &letters[end..];
    }
    // A year is already a slip of the pen, and keeps every sum of times far from its limits.
    if total.is_zero() || total > Duration::from_secs(365 * 86_400) {
        return Err(format!(
            "the time must be more than 0 and at most a year, not {text:?}"
        ));
    }
    Ok(total)
}

/// Reads `2027-01-01` (midnight UTC) or `2027-01-01T08:00:00+01:00`.
pub fn point(text: &str) -> Result<Timestamp, String> {
    if let Ok(point) = text.parse::<Timestamp>() {
        return Ok(point);
    }
    let date: Date = text
        .parse()
        .map_err(|_| format!("write a date such as 2027-01-01, or a time such as 2027-01-01T08:00:00+01:00, not {text:?}"))?;
    date.to_zoned(TimeZone::UTC)
        .map(|midnight| midnight.timestamp())
        .map_err(|error| error.to_string())
}

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=1000) => Ok(count),
        _ => Err(format!("write a whole number from 1 to 1000, not {text:?}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        times: Times,
    }

    #[test]
    fn the_flags_defaults_are_the_engines() {
        let mut settings = Settings::default();
        Only::parse_from(["x"]).times.set(&mut settings);
        assert_eq!(
            format!("{settings:#?}"),
            format!("{:#?}", Settings::default())
        );
    }

    #[test]
    fn every_flag_reaches_the_settings() {
        // All flags at values that are no default, in order of their names in the settings' text.
        let flags = "x --sweep-interval 1001ms --names-interval 1002ms --names-fresh 1003ms --read-back-delay 1004ms \
            --resync-interval 1005ms --call-deadline 1006ms --backoff-first 1007ms --backoff-longest 1008ms --pause-again 1009ms \
            --write-deadline 1015ms --absence-spacing 1011ms --absence-after-deadline 1012ms --settle 1013ms --clock-slack 1014ms --review-again 1016ms \
            --previous-key-window 1017ms --webhook-max-age 1018ms --webhook-time-window 1019ms --review-events 1020ms \
            --calls-in-flight 901 --turns-in-flight 902 --status-in-flight 903 --manual-creation-closes 2031-02-03";
        let mut settings = Settings::default();
        Only::parse_from(flags.split_whitespace())
            .times
            .set(&mut settings);
        let text = format!("{settings:?}");
        let expected: Vec<String> = (1001..=1020)
            // A written 1.01 would be found in other values.
            .filter(|n| *n != 1010)
            .map(|n| format!("1.{:03}s", n - 1000).replace("1.020s", "1.02s"))
            .collect();
        for value in
            expected
                .iter()
                .map(String::as_str)
                .chain(["901", "902", "903", "2031-02-03T00:00:00Z"])
        {
            // The deadline of a call is also the model's, for creates.
            let places = if value == "1.006s" { 2 } else { 1 };
            assert_eq!(text.matches(value).count(), places, "{value} in {text}");
        }
    }

    #[test]
    fn times_need_a_unit() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in [
            "",
            "60",
            "s",
            "1.5s",
            "-1s",
            "1 s",
            "5min",
            "1d",
            "0s",
            "99999999999999999999s",
            "9000000h",
            "1m30",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn dates_are_utc() {
        assert_eq!(
            point("2027-01-01"),
            Ok(Timestamp::constant(1_798_761_600, 0))
        );
        assert_eq!(point("2027-01-01T01:00:00+01:00"), point("2027-01-01"));
        assert!(point("tomorrow").is_err());
        assert!(point("2027-02-30").is_err());
    }
}
