//! When an ad group runs.

use serde_json::{Map, Value, json};

use super::{
    super::{
        Sandbox,
        create::{require, text},
        envelope::Refusal,
        knobs, time,
    },
    place::Place,
};

/// 48 half hours of seven days.
const SLOTS: usize = 336;
/// 2028-01-01, before which an ad group has to start.
const LAST_START: i64 = 1_830_297_600_000;
/// 2038-01-01, before which an ad group has to end.
const LAST_END: i64 = 2_145_916_800_000;

/// Reads `YYYY-MM-DD HH:MM:SS`.
fn instant(fields: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refusal> {
    match text(fields, name) {
        "" => Ok(None),
        text => time::parse(text)
            .filter(|_| text.len() == "YYYY-MM-DD HH:MM:SS".len())
            .map(Some)
            .ok_or_else(|| Refusal::parameter(format!("{name}: Not a valid datetime."))),
    }
}

/// How many days a schedule touches, for the smallest lifetime budget. At least one.
pub(super) fn days(fields: &Map<String, Value>) -> i64 {
    let bound = |name| instant(fields, name).ok().flatten();
    match (bound("schedule_start_time"), bound("schedule_end_time")) {
        (Some(start), Some(end)) => {
            let ms = end.saturating_sub(start).max(1);
            (ms + time::DAY_MS - 1) / time::DAY_MS
        }
        _ => 1,
    }
}

impl Sandbox {
    /// Now, in the clock that schedules are written in: TikTok's pages say UTC, one live log says the account's.
    fn schedule_now(&self, place: &Place<'_>) -> i64 {
        place.at
            + schedule_offset_ms(
                self.knobs
                    .is(&knobs::SCHEDULE_ZONE, place.advertiser_id, "account"),
                place.advertiser.utc_offset_ms,
            )
    }

    /// Where TikTok reads times in the account's clock but shows UTC, what was sent is UTC from here on.
    pub(super) fn read_schedule(&self, advertiser_id: &str, sent: &mut Map<String, Value>) {
        let shown = "account_shown_in_utc";
        let Ok(advertiser) = self.advertiser(advertiser_id) else {
            return;
        };
        if !self.knobs.is(&knobs::SCHEDULE_ZONE, advertiser_id, shown) {
            return;
        }
        for name in ["schedule_start_time", "schedule_end_time"] {
            if let Ok(Some(at)) = instant(sent, name) {
                let at = time::datetime(at - advertiser.utc_offset_ms);
                sent.insert(name.into(), json!(at));
            }
        }
    }

    /// Checks a schedule. `old` are the fields before an update, none for a create.
    pub(super) fn settle_schedule(
        &self,
        place: &Place<'_>,
        fields: &mut Map<String, Value>,
        old: Option<&Map<String, Value>>,
    ) -> Result<(), Refusal> {
        require(fields, &["schedule_type", "schedule_start_time"])?;
        let now = self.schedule_now(place);
        let start = instant(fields, "schedule_start_time")?.unwrap_or(now);
        let old_start = old
            .map(|old| instant(old, "schedule_start_time"))
            .transpose()?
            .flatten();
        if old_start != Some(start) {
            if old_start.is_some_and(|old| old <= now) {
                return Err(Refusal::parameter(
                    "schedule_start_time: The start time cannot be changed after the ad group has started.",
                ));
            }
            let tolerance = self
                .knobs
                .ms(&knobs::SCHEDULE_START_PAST, place.advertiser_id);
            if start < now.saturating_sub(tolerance) {
                return Err(Refusal::parameter(
                    "Start time can't be earlier than the current time.",
                ));
            }
            if start >= LAST_START {
                return Err(Refusal::parameter(
                    "schedule_start_time: Must be earlier than 2028-01-01 00:00:00.",
                ));
            }
        }
        if text(fields, "schedule_type") == "SCHEDULE_FROM_NOW" {
            let end = time::add_years(start, 10);
            fields.insert("schedule_end_time".into(), json!(time::datetime(end)));
        } else {
            require(fields, &["schedule_end_time"])?;
        }
        let end = instant(fields, "schedule_end_time")?.unwrap_or(start);
        if end <= start {
            return Err(Refusal::parameter(
                "schedule_end_time: Must be later than schedule_start_time.",
            ));
        }
        let old_end = old
            .map(|old| instant(old, "schedule_end_time"))
            .transpose()?
            .flatten();
        if old_end != Some(end) && end <= now {
            return Err(Refusal::parameter(
                "schedule_end_time: Must be later than the current time.",
            ));
        }
        if end >= LAST_END {
            return Err(Refusal::parameter(
                "schedule_end_time: Must be earlier than 2038-01-01 00:00:00.",
            ));
        }
        settle_dayparting(fields)
    }
}

/// How far the clock of schedules is ahead of UTC.
pub(in crate::sandbox) fn schedule_offset_ms(in_account_zone: bool, utc_offset_ms: i64) -> i64 {
    if in_account_zone { utc_offset_ms } else { 0 }
}

/// Nothing said, all zeros and all ones mean always; reads show ones.
fn settle_dayparting(fields: &mut Map<String, Value>) -> Result<(), Refusal> {
    let slots = text(fields, "dayparting");
    if !slots.is_empty()
        && (slots.len() != SLOTS || !slots.bytes().all(|byte| matches!(byte, b'0' | b'1')))
    {
        return Err(Refusal::parameter(format!(
            "dayparting: Must be {SLOTS} characters of 0 or 1."
        )));
    }
    if !slots.contains('1') {
        fields.insert("dayparting".into(), json!("1".repeat(SLOTS)));
    }
    Ok(())
}
