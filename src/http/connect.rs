//! The steps of connecting, as a browser takes them.
//!
//! 1. `GET /connect/{namespace}/{name}`: the page. With a session it shows the connection; with a ticket, a button; with
//!    neither, how to get a link, and not even whether there is such a connection. It uses nothing up.
//! 2. `POST` to the same: the ticket is used up, a cookie set, and the browser sent to TikTok.
//! 3. `GET /oauth/callback`: TikTok's answer; a session begins.
//! 4. `POST /connect/{namespace}/{name}/advertiser`: an ad account is picked.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};

use super::backend::{At, Backend, Problem};
use super::body::Held;
use super::callback::{self as answer, CallbackError};
use super::cookies::Cookie;
use super::form::{Fields, is_pick_token, pick_token};
use super::html::Html;
use super::pages::{self, Trouble};
use super::pass_on::{Answer, Received, pass_on};
use super::public::Public;
use super::security::from_another_site;

pub async fn page<B: Backend>(
    State(public): State<Arc<Public<B>>>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(at) = At::new(&namespace, &name) else {
        return nothing_here();
    };
    let (head, _) = request.into_parts();
    let fields = Fields::of_query(head.uri.query().unwrap_or_default());
    let secure = public.settings.secure();
    if let Some(session) = Cookie::Session.find(&head.headers, secure) {
        // Only the leader knows what is so.
        let limit = public.settings.limits.pass_on_for;
        if let Some(response) = elsewhere(&public, &head, &[], limit).await {
            return response;
        }
        let search = fields.search();
        let ticket = fields.word("ticket");
        if let Some(shown) = public.backend.page(&at, &session, &search).await {
            let token = pick_token(&session, &at);
            let page = pages::connection(&at, &shown, &search, &token, ticket);
            return html(StatusCode::OK, page);
        }
    }
    match fields.word("ticket") {
        Some(ticket) => html(StatusCode::OK, pages::begin(&at, ticket)),
        None if fields.has("ticket") => trouble(&Trouble::of(&Problem::Ticket)),
        None => html(StatusCode::OK, pages::how_to(&at)),
    }
}

pub async fn begin<B: Backend>(
    State(public): State<Arc<Public<B>>>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(at) = At::new(&namespace, &name) else {
        return nothing_here();
    };
    let (head, fields, held) = match form(&public, request).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let step_for = public.settings.limits.pass_on_step_for;
    if let Some(response) = elsewhere(&public, &head, &held.bytes, step_for).await {
        return response;
    }
    let Some(ticket) = fields.word("ticket").map(SecretString::from) else {
        return trouble(&Trouble::of(&Problem::Ticket));
    };
    let backend = public.backend.clone();
    let step = public.step(async move { backend.begin(&at, &ticket).await });
    match step.await.unwrap_or(Err(Problem::Busy)) {
        Ok(begun) => {
            let cookie = Cookie::Connect.set(&begun.cookie, public.settings.secure());
            go_to(&begun.authorise_url, [cookie])
        }
        Err(problem) => trouble(&Trouble::of(&problem)),
    }
}

pub async fn callback<B: Backend>(
    State(public): State<Arc<Public<B>>>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let step_for = public.settings.limits.pass_on_step_for;
    if let Some(response) = elsewhere(&public, &head, &[], step_for).await {
        return response;
    }
    let found = match answer::callback(head.uri.query().unwrap_or_default()) {
        Ok(found) => found,
        Err(CallbackError::Unreadable) => return trouble(&Trouble::of(&Problem::State)),
        Err(CallbackError::NotApproved(words)) => {
            // Anybody can write such an address: whose browser did not begin is not shown what stands in it.
            let begun = Cookie::Connect.find(&head.headers, public.settings.secure());
            let words = begun.map_or(String::new(), |_| words);
            return trouble(&Trouble::not_approved(&words));
        }
    };
    let secure = public.settings.secure();
    let Some(cookie) = Cookie::Connect.find(&head.headers, secure) else {
        return trouble(&Trouble::of(&Problem::OtherBrowser));
    };
    let backend = public.backend.clone();
    let step = public.step(async move {
        let answer::Callback { state, code } = found;
        backend.authorise(&state, &code, &cookie).await
    });
    match step.await.unwrap_or(Err(Problem::Busy)) {
        Ok(done) => {
            let session = Cookie::Session.set(&done.session, secure);
            let page = SecretString::from(pages::path(&done.at));
            go_to(&page, [session, Cookie::Connect.clear(secure)])
        }
        Err(problem) => trouble(&Trouble::of(&problem)),
    }
}

pub async fn pick<B: Backend>(
    State(public): State<Arc<Public<B>>>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(at) = At::new(&namespace, &name) else {
        return nothing_here();
    };
    let (head, fields, held) = match form(&public, request).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let step_for = public.settings.limits.pass_on_step_for;
    if let Some(response) = elsewhere(&public, &head, &held.bytes, step_for).await {
        return response;
    }
    let secure = public.settings.secure();
    let Some(session) = Cookie::Session.find(&head.headers, secure) else {
        return trouble(&Trouble::of(&Problem::Session));
    };
    if !is_pick_token(&session, &at, fields.word("form").unwrap_or_default()) {
        return trouble(&Trouble::of(&Problem::Session));
    }
    let Some(advertiser) = fields.word("advertiser_id").map(str::to_owned) else {
        return trouble(&Trouble::of(&Problem::NotListed));
    };
    let page = SecretString::from(pages::path(&at));
    let backend = public.backend.clone();
    let step = public.step(async move { backend.pick(&at, &session, &advertiser).await });
    match step.await.unwrap_or(Err(Problem::Busy)) {
        Ok(()) => go_to(&page, []),
        Err(problem) => trouble(&Trouble::of(&problem)),
    }
}

/// A form of ours with its body, or the refusal.
async fn form<B: Backend>(
    public: &Public<B>,
    request: Request,
) -> Result<(Parts, Fields, Held), Response> {
    let (head, body) = request.into_parts();
    if from_another_site(&head.headers, &public.settings.origin) {
        return Err(trouble(&Trouble::another_site()));
    }
    let limits = &public.settings.limits;
    let read = public
        .forms
        .read(&head.headers, body, limits.form, limits.read_for);
    let held = read.await.map_err(|unread| public.unread(unread))?;
    match Fields::of_form(&head.headers, &held.bytes) {
        Some(fields) => Ok((head, fields, held)),
        None => Err((
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "a form of the page is expected\n",
        )
            .into_response()),
    }
}

/// The answer, if this replica does not lead.
async fn elsewhere<B: Backend>(
    public: &Public<B>,
    head: &Parts,
    body: &[u8],
    deadline: Duration,
) -> Option<Response> {
    let received = Received {
        method: &head.method,
        uri: &head.uri,
        headers: &head.headers,
        body,
    };
    match pass_on(&*public.backend, received, deadline).await {
        Answer::Here => None,
        Answer::There(response) => Some(response),
        Answer::Nowhere => Some(trouble(&Trouble::nobody_leads())),
    }
}

fn html(status: StatusCode, page: Html) -> Response {
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    (status, [kind], page.into_string()).into_response()
}

fn trouble(trouble: &Trouble) -> Response {
    let mut response = html(trouble.status, pages::trouble(trouble));
    if trouble.status == StatusCode::SERVICE_UNAVAILABLE {
        let headers: &mut HeaderMap = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

fn nothing_here() -> Response {
    (StatusCode::NOT_FOUND, "there is nothing here\n").into_response()
}

/// 303: the browser asks for the address by GET.
fn go_to<const N: usize>(address: &SecretString, cookies: [Option<HeaderValue>; N]) -> Response {
    let Ok(mut location) = HeaderValue::from_str(address.expose_secret()) else {
        return trouble(&Trouble::of(&Problem::Busy));
    };
    location.set_sensitive(true);
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
