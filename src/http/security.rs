//! What every answer of the public listener tells the browser, and which requests it takes from it.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::pages::STYLE;

/// The headers that every answer has, unless the leader said them already.
#[derive(Clone, Debug)]
pub struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    /// `form_targets`: origins beside our own that a form's answer may send the browser to.
    pub fn new(form_targets: &[String]) -> Self {
        let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        let mut targets = String::new();
        for target in form_targets {
            targets.push(' ');
            targets.push_str(target);
        }
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'{targets}; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        let mut headers = vec![
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
            (
                header::REFERRER_POLICY,
                HeaderValue::from_static("no-referrer"),
            ),
            (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                HeaderValue::from_static("same-origin"),
            ),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("same-origin"),
            ),
            // Neither the links nor what they show belongs into a search engine.
            (
                HeaderName::from_static("x-robots-tag"),
                HeaderValue::from_static("noindex, nofollow"),
            ),
        ];
        // An origin that is no header value is none that a browser could go to.
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.push((header::CONTENT_SECURITY_POLICY, policy));
        } else {
            let strict = "default-src 'none'; form-action 'self'; frame-ancestors 'none'";
            headers.push((
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(strict),
            ));
        }
        Self(headers)
    }

    /// Adds them to an answer.
    pub fn dress(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        for (name, value) in &self.0 {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
        response
    }
}

/// Whether a form may have been sent by another site's page. Browsers say where a form comes from in `Sec-Fetch-Site`;
/// in `Origin` they say `null` for our pages, since those send no referrer.
pub fn from_another_site(headers: &HeaderMap, our_origin: &str) -> bool {
    let text = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let site = text("sec-fetch-site").is_none_or(|site| site == b"same-origin" || site == b"none");
    let origin =
        text("origin").is_none_or(|origin| origin == b"null" || origin == our_origin.as_bytes());
    !(site && origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_our_style_and_nothing_else() {
        let dressed = Headers::new(&["https://a.example".into()]).dress(Response::default());
        let policy = dressed.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert!(
            policy.contains("; form-action 'self' https://a.example; "),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(dressed.headers()[header::CACHE_CONTROL], "no-store");
        let odd = Headers::new(&["\n".into()]).dress(Response::default());
        assert!(odd.headers().contains_key(header::CONTENT_SECURITY_POLICY));
    }

    #[test]
    fn forms_of_other_sites_are_told_from_ours() {
        let ours = "https://ads.example";
        let from = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs.iter().map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            });
            from_another_site(&headers.collect(), ours)
        };
        assert!(!from(&[]));
        assert!(!from(&[
            ("origin", "null"),
            ("sec-fetch-site", "same-origin")
        ]));
        assert!(!from(&[("origin", ours)]));
        assert!(from(&[("origin", "https://evil.example")]));
        assert!(from(&[
            ("origin", "null"),
            ("sec-fetch-site", "cross-site")
        ]));
        assert!(from(&[("sec-fetch-site", "same-site")]));
    }
}
