//! From bytes to an answer or an error.
//!
//! Nothing is taken for more than it proves: a list that may be incomplete is an error, and a write whose answer
//! cannot be read is ambiguous.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::access;
use super::call::{Call, OperationStatus};
use super::changes::NewObject;
use super::codes::{self, Finding};
use super::error::{ErrorClass, PlatformError, Rejection, Throttle};
use super::json;
use super::kind::{Kind, Tree};
use super::oauth;
use super::reply::{Answer, PageInfo, RefusedId, Reply};
use super::review;
use super::row::{Row, object_row};
use super::subscription;
use super::table::table;
use super::text::{clean, without_secrets};
use super::wire::WireReply;

/// Longest message of TikTok's that we keep.
const LONGEST_MESSAGE: usize = 500;

/// Reads the reply to `call`.
///
/// TikTok answers nearly everything with HTTP 200 and a `code`; the code outranks the HTTP status. 0 is success,
/// 20001 is success in part.
pub fn read(call: &Call, reply: WireReply) -> Result<Answer, PlatformError> {
    read_as(call, None, reply)
}

/// The same for a call that was sent with `token` in its header: TikTok's texts are shown without it (R25).
pub fn read_as(
    call: &Call,
    token: Option<&SecretString>,
    reply: WireReply,
) -> Result<Answer, PlatformError> {
    let log_id = reply.log_id.clone().unwrap_or_default();
    let Some((code, envelope)) = envelope(call, &reply.body) else {
        return Err(without_envelope(call, &reply, log_id));
    };
    let request_id = json::text(&envelope, "request_id").unwrap_or(log_id);
    let reader = Reader {
        call,
        token,
        request_id,
    };
    let data = envelope.get("data").unwrap_or(&Value::Null);
    let message = envelope
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or_default();

    let outcome = match (code, call) {
        (0, _) => reader.success(data, false),
        // What was done in part is told apart by id; of anything else a part is nothing we can use.
        (20001, Call::SetStatus { .. }) => reader.success(data, true),
        _ => {
            let finding = codes::classify(call, code, message, reply.retry_after);
            return Err(reader.error(finding, Some(code), message));
        }
    };
    outcome.map(|told| Answer {
        reply: told,
        date: reply.date,
        request_id: reader.request_id,
    })
}

/// The code and the whole envelope, or `None` if this is not TikTok's envelope.
fn envelope(call: &Call, body: &[u8]) -> Option<(i64, Value)> {
    let envelope: Value = match call {
        // R24: it shows access tokens of others.
        Call::Subscriptions { .. } => subscription::envelope(body)?,
        _ => serde_json::from_slice(body).ok()?,
    };
    let code = match envelope.get("code")? {
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    Some((code, envelope))
}

/// A reply that TikTok's application did not write, or not completely. The body is not quoted: an error page may
/// repeat the URL, and with it the app secret (R25).
fn without_envelope(call: &Call, reply: &WireReply, request_id: String) -> PlatformError {
    let status = reply.status;
    let (class, message) = match status {
        429 => (
            ErrorClass::Throttled(
                reply
                    .retry_after
                    .map(bounded)
                    .map_or(Throttle::Unsaid, Throttle::After),
            ),
            format!("the gateway refused the call as one too many (HTTP {status})"),
        ),
        404 | 405 => (
            ErrorClass::Rejected(Rejection::Other),
            format!(
                "the platform does not know this call (HTTP {status}): check the operator's base URL{}",
                match call {
                    Call::Refresh { .. } => " and refresh path",
                    _ => "",
                }
            ),
        ),
        // Some gateway in between refused it before TikTok saw it. 408 may come after a part was read.
        400..=499 if status != 408 => (
            ErrorClass::Retry,
            format!(
                "something in front of the platform refused the call (HTTP {status}): check proxies and firewalls"
            ),
        ),
        _ => (
            unclear(call),
            format!(
                "the reply is not in TikTok's format (HTTP {status}, {} bytes)",
                reply.body.len()
            ),
        ),
    };
    PlatformError {
        class,
        code: None,
        message,
        request_id,
        call: call.name(),
        field: None,
    }
}

/// The class of a call whose effect is not known.
pub(super) fn unclear(call: &Call) -> ErrorClass {
    if call.is_write() {
        ErrorClass::Ambiguous
    } else {
        ErrorClass::Retry
    }
}

struct Reader<'a> {
    call: &'a Call,
    /// What went along in the header.
    token: Option<&'a SecretString>,
    request_id: String,
}

impl Reader<'_> {
    fn success(&self, data: &Value, in_part: bool) -> Result<Reply, PlatformError> {
        match self.call {
            Call::AdvertiserInfo { .. } => Ok(Reply::Advertisers(self.rows(
                data,
                "list",
                access::advertiser,
            )?)),
            Call::GrantedAdvertisers { .. } => {
                Ok(Reply::Granted(self.rows(data, "list", access::granted)?))
            }
            Call::List {
                advertiser,
                kind,
                tree,
                page,
                page_size,
                ..
            } => {
                let rows = self.rows(data, "list", |row| {
                    object_row(row, advertiser, *kind, *tree)
                })?;
                let page = self.page(data, rows.len(), *page, *page_size)?;
                Ok(Reply::Rows {
                    rows,
                    page: page.page,
                    total_pages: page.total_pages,
                    total: page.total,
                })
            }
            Call::Create {
                advertiser,
                kind,
                tree,
                objects,
            } => self.created(data, advertiser, (*kind, *tree), objects),
            Call::Update {
                advertiser,
                kind,
                tree,
                id,
                ..
            } => {
                let row = match table(*kind, *tree).wrapped {
                    Some(list) => data.get(list).and_then(|items| items.get(0)),
                    None => Some(data),
                };
                match row.and_then(|row| object_row(row, advertiser, *kind, *tree)) {
                    Some(row) if row.id != *id => Err(self.incomplete(
                        "TikTok's answer is about another object than the one that was changed",
                    )),
                    row => Ok(Reply::Updated(row)),
                }
            }
            Call::SetStatus {
                kind,
                tree,
                ids,
                status,
                automated_creative,
                ..
            } => {
                let table = table(*kind, *tree);
                let id = if *automated_creative {
                    "aco_ad_id"
                } else {
                    table.id
                };
                self.statuses(data, (id, table.status_list), ids, *status, in_part)
            }
            // It says nothing about single creatives: code 0 speaks for all.
            Call::SetCreativeStatus { creatives, .. } => Ok(Reply::StatusSet {
                done: creatives.clone(),
                refused: Vec::new(),
            }),
            Call::Appeal { .. } => Ok(Reply::Appealed),
            Call::Reviews { tree, .. } => review::read(data, *tree)
                .map(Reply::Reviews)
                .ok_or_else(|| self.incomplete("the answer holds no reviews")),
            Call::Exchange { dialect, .. } | Call::Refresh { dialect, .. } => {
                oauth::token(data, dialect)
                    .map(Reply::Token)
                    .ok_or_else(|| self.incomplete("the answer holds no usable access token"))
            }
            Call::Revoke { .. } => Ok(Reply::Revoked {
                advertisers: oauth::revoked(data),
            }),
            Call::UserRoles { page, .. } => {
                let rows = self.rows(data, "list", access::role)?;
                let page = self.page(data, rows.len(), *page, access::ASSETS_PAGE_SIZE)?;
                Ok(Reply::Roles { rows, page })
            }
            Call::Pixels { pixel_id, .. } => {
                let mut rows = self.rows(data, "pixels", access::pixel)?;
                rows.retain(|row| row.id == *pixel_id);
                Ok(Reply::Pixels(rows))
            }
            Call::Subscriptions { page, .. } => {
                let rows = self.rows(data, "subscriptions", subscription::row)?;
                let page = self.page(data, rows.len(), *page, subscription::PAGE_SIZE)?;
                Ok(Reply::Subscriptions { rows, page })
            }
            Call::Subscribe { .. } => subscription::subscription_id(data)
                .map(Reply::Subscribed)
                .ok_or_else(|| self.incomplete("the answer does not name the subscription")),
            Call::Unsubscribe { .. } => Ok(Reply::Done),
        }
    }

    /// What was made of the objects that were sent. One object's answer is the object; several are told apart by name.
    fn created(
        &self,
        data: &Value,
        advertiser: &str,
        (kind, tree): (Kind, Tree),
        objects: &[NewObject],
    ) -> Result<Reply, PlatformError> {
        let read = |row: &Value| object_row(row, advertiser, kind, tree);
        let made: Vec<Option<Row>> = match table(kind, tree).wrapped {
            None => vec![read(data)],
            Some(list) => {
                let items = data.get(list).and_then(Value::as_array);
                let rows: Vec<Row> = items.into_iter().flatten().filter_map(read).collect();
                objects
                    .iter()
                    .map(|object| rows.iter().find(|row| row.name == object.name).cloned())
                    .collect()
            }
        };
        if made.iter().all(Option::is_none) {
            return Err(self.incomplete(&format!(
                "TikTok says that the {} was created but the answer does not show it",
                kind.noun()
            )));
        }
        // Where the answer does not say what it is in, it is what was asked for.
        let made = made
            .into_iter()
            .zip(objects)
            .map(|(row, object)| row.map(|row| row.made_in(object.parent.as_ref())));
        Ok(Reply::Created(made.collect()))
    }

    /// The rows of a list in `data`. One row that cannot be read makes the whole list incomplete.
    fn rows<T>(
        &self,
        data: &Value,
        name: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, PlatformError> {
        let list = data.get(name).and_then(Value::as_array);
        let list = list.ok_or_else(|| self.incomplete("the answer holds no list"))?;
        list.iter()
            .map(|row| {
                read(row).ok_or_else(|| self.incomplete("a row of the list has no usable id"))
            })
            .collect()
    }

    fn page(
        &self,
        data: &Value,
        rows: usize,
        page: u32,
        page_size: u32,
    ) -> Result<PageInfo, PlatformError> {
        let info = data.get("page_info").unwrap_or(&Value::Null);
        let Some(total) = json::count(info, "total_number") else {
            return Err(self.incomplete(
                "the answer does not say how many rows there are (page_info.total_number)",
            ));
        };
        if json::count(info, "page").is_some_and(|answered| answered != u64::from(page)) {
            return Err(
                self.incomplete("the answer is another page than the one that was asked for")
            );
        }
        // A server with a smaller limit of its own says so here; its pages are then counted in its size.
        let size = json::count(info, "page_size")
            .unwrap_or(u64::from(page_size))
            .max(1);
        let before = u64::from(page.saturating_sub(1)).saturating_mul(size);
        let expected = total.saturating_sub(before).min(size);
        if (rows as u64) < expected {
            return Err(
                self.incomplete(&format!("the page holds {rows} rows instead of {expected}"))
            );
        }
        let pages = total
            .div_ceil(size)
            .max(json::count(info, "total_page").unwrap_or(0))
            .max(1);
        Ok(PageInfo {
            page,
            total_pages: u32::try_from(pages).unwrap_or(u32::MAX),
            total,
        })
    }

    /// Sorts the ids that were asked for into done and refused.
    fn statuses(
        &self,
        data: &Value,
        (id_name, list): (&str, Option<&str>),
        ids: &[String],
        status: OperationStatus,
        in_part: bool,
    ) -> Result<Reply, PlatformError> {
        let items = |name: &str| data.get(name).and_then(Value::as_array).map(Vec::as_slice);
        let errors = items("error_list").unwrap_or_default();
        let listed = list.and_then(items);
        if in_part && errors.is_empty() && listed.is_none() {
            return Err(self.incomplete("TikTok did a part of the call and does not say which"));
        }
        let mut reply = (Vec::new(), Vec::new());
        for id in ids {
            let is_about = |item: &&Value| json::id(item, id_name).as_deref() == Some(id);
            let refusal = if let Some(item) = errors.iter().find(is_about) {
                let said = item
                    .get("error_message")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                Some(self.said(said))
            } else {
                match listed.map(|listed| listed.iter().find(is_about)) {
                    // Without a list, code 0 speaks for all ids.
                    None if !in_part => None,
                    None => Some("TikTok's answer does not mention it".to_owned()),
                    Some(None) => Some("TikTok's answer does not mention it".to_owned()),
                    Some(Some(item)) => other_status(item, status),
                }
            };
            match refusal {
                None => reply.0.push(id.clone()),
                Some(message) => reply.1.push(RefusedId {
                    id: id.clone(),
                    message,
                }),
            }
        }
        Ok(Reply::StatusSet {
            done: reply.0,
            refused: reply.1,
        })
    }

    /// An answer that does not prove what it should.
    fn incomplete(&self, why: &str) -> PlatformError {
        PlatformError {
            class: unclear(self.call),
            code: None,
            message: clean(why, LONGEST_MESSAGE),
            request_id: self.request_id.clone(),
            call: self.call.name(),
            field: None,
        }
    }

    fn error(&self, finding: Finding, code: Option<i64>, message: &str) -> PlatformError {
        PlatformError {
            class: finding.class,
            code,
            message: self.said(message),
            request_id: self.request_id.clone(),
            call: self.call.name(),
            field: finding.field,
        }
    }

    /// TikTok's words, harmless and without secrets (R19, R25).
    fn said(&self, message: &str) -> String {
        let mut secrets = self.call.secrets();
        secrets.extend(self.token.map(ExposeSecret::expose_secret));
        clean(&without_secrets(message, &secrets), LONGEST_MESSAGE)
    }
}

/// Why an item of the status list is not what was asked for.
fn other_status(item: &Value, wanted: OperationStatus) -> Option<String> {
    let status = json::text(item, "status")?;
    let known = [
        OperationStatus::Enable,
        OperationStatus::Disable,
        OperationStatus::Delete,
    ];
    let is_another = known.iter().any(|other| other.wire() == status) && status != wanted.wire();
    is_another.then(|| {
        format!(
            "TikTok answers that its status is {status}, not {}",
            wanted.wire()
        )
    })
}

/// The wait that a throttled reply names, bounded: it comes from outside.
pub(super) fn bounded(wait: Duration) -> Duration {
    wait.min(Duration::from_secs(3600))
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
