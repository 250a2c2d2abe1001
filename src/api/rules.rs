//! The CEL rules: everything that can be refused without looking elsewhere.
//!
//! Every rule costs the API server about 0.3 ms on every write, status writes included, so the parts of one topic are
//! joined into one rule, which names every part that fails. Rules on an optional field cost nothing while it is unset.
//! Messages are for the person who wrote the manifest: what is wrong, and the next step.

mod ad;
mod ad_group;
mod campaign;
mod connection;
mod targeting;

use serde_json::{Value, json};

pub(super) use self::ad::ad;
pub(super) use self::ad_group::ad_group;
pub(super) use self::campaign::campaign;
pub(super) use self::connection::connection;

/// What TikTok writes without decimals.
const NO_DECIMALS: &str = "['JPY', 'KRW', 'IDR', 'VND', 'CLP']";

/// An id on the platform.
const ID: &str = "^[1-9][0-9]{0,19}$";

/// Rules that belong together, at one place of the schema.
pub(super) struct Topic {
    /// The place, as a dotted path from the root of the object.
    pub(super) path: &'static str,
    parts: Vec<Part>,
}

/// A condition that has to hold, and what to say if it does not.
struct Part {
    /// A CEL expression. It must not fail on anything that the schema lets through.
    holds: String,
    /// A CEL expression that gives the text.
    says: String,
    /// The text as the documentation has it, without what only the object at hand can tell.
    text: String,
}

impl Topic {
    fn new(path: &'static str, parts: Vec<Part>) -> Self {
        Self { path, parts }
    }

    /// What the rule says, one text per part.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| part.text.as_str())
    }

    /// One entry of `x-kubernetes-validations`.
    pub(super) fn rule(&self) -> Value {
        if let [part] = self.parts.as_slice() {
            return match literal(&part.says) {
                Some(message) => json!({ "rule": part.holds, "message": message }),
                None => json!({ "rule": part.holds, "messageExpression": part.says }),
            };
        }
        let all: Vec<_> = self
            .parts
            .iter()
            .map(|p| format!("({})", p.holds))
            .collect();
        // No filter() and join(): the server cannot estimate what they cost and refuses the definition. It trims.
        let each: Vec<_> = self
            .parts
            .iter()
            .map(|p| format!("(({}) ? '' : {} + '. ')", p.holds, p.says))
            .collect();
        json!({ "rule": all.join(" && "), "messageExpression": each.join(" + ") })
    }
}

/// A part with a fixed text.
fn part(holds: impl Into<String>, text: &str) -> Part {
    Part {
        holds: holds.into(),
        says: quote(text),
        text: text.to_owned(),
    }
}

/// A CEL string. The texts here have no backslashes; a single quote would end the string.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "\\'"))
}

/// The text of a CEL string made by [`quote`].
fn literal(expression: &str) -> Option<String> {
    let inner = expression.strip_prefix('\'')?.strip_suffix('\'')?;
    let text = inner.replace("\\'", "\u{0}");
    (!text.contains('\'')).then(|| text.replace('\u{0}', "'"))
}

/// An id on the platform.
fn id(path: &'static str) -> Topic {
    let text = "an id is digits only, in quotes, such as \"1790000000000000001\": copy it from TikTok Ads Manager";
    Topic::new(path, vec![part(format!("self.matches('{ID}')"), text)])
}

/// The name of a Kubernetes object.
fn object_name(path: &'static str) -> Topic {
    let text = "the name of a Kubernetes object has only lower-case letters, digits, - and ., and begins and ends with \
                a letter or digit: write it as kubectl get shows it";
    Topic::new(
        path,
        vec![part(
            "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
            text,
        )],
    )
}

fn currency(path: &'static str) -> Topic {
    let text = "write the currency as its code of three capital letters, such as USD or EUR";
    Topic::new(path, vec![part("self.matches('^[A-Z]{3}$')", text)])
}

/// An amount, written as text or as a whole number. `string()` takes both; `quantity()` takes far too much.
fn amount(path: &'static str) -> Topic {
    let text = "write the amount as decimal text, such as \"50\" or \"49.90\": more than 0, at most two decimals, no \
                sign, unit or thousands separator";
    let holds = "string(self).matches('^(0|[1-9][0-9]{0,9})([.][0-9]{1,2})?$') && string(self).matches('[1-9]')";
    Topic::new(path, vec![part(holds, text)])
}

/// `self` has an amount and a currency.
fn whole_units() -> Part {
    part(
        format!(
            "!has(self.currency) || !has(self.amount) || !(self.currency in {NO_DECIMALS}) || \
             !string(self.amount).contains('.')"
        ),
        "this currency has no decimals on TikTok: write the amount without a point, such as \"5000\"",
    )
}

/// Says `text` and then which of the fields fail their condition.
fn name_failing(fields: &[(&str, String)], text: &str) -> Part {
    let all: Vec<_> = fields
        .iter()
        .map(|(_, holds)| format!("({holds})"))
        .collect();
    let names: Vec<_> = fields
        .iter()
        .map(|(name, holds)| format!(" + (({holds}) ? '' : ' {name}')"))
        .collect();
    Part {
        holds: all.join(" && "),
        says: format!("{}{}", quote(text), names.concat()),
        text: format!(
            "{} {}",
            text,
            fields
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

/// RE2 does not know Unicode's Emoji property; these are the blocks that hold nothing else but symbols.
const EMOJI: &str = r"[\\x{1F000}-\\x{1FAFF}\\x{2600}-\\x{27BF}\\x{231A}\\x{231B}\\x{23E9}-\\x{23F3}\\x{2B1B}\\x{2B1C}\\x{2B50}\\x{2B55}\\x{FE0F}\\x{20E3}]";

/// The length of a text as TikTok counts it: Chinese, Japanese and Korean characters count twice.
fn length(text: &str) -> String {
    // Not size(): the evaluator behind `check` counts bytes there, the server counts characters.
    format!(
        r"({text}.findAll('(?s).').size() + {text}.findAll('[\\p{{Han}}\\p{{Hiragana}}\\p{{Katakana}}\\p{{Hangul}}]').size())"
    )
}

/// The name of an object on TikTok.
fn name(path: &'static str) -> Topic {
    Topic::new(
        path,
        vec![
            part(
                format!("{} <= 512", length("self")),
                "a name has at most 512 characters (Chinese, Japanese and Korean ones count twice): shorten it",
            ),
            part(
                format!("!self.matches('{EMOJI}')"),
                "TikTok takes no emoji in a name: remove them",
            ),
            part(
                r"!self.matches('\\p{Cc}|^[\\s\\p{Z}]|[\\s\\p{Z}]$')",
                "a name has no line break or tab, and no blank at its beginning or end: remove them",
            ),
        ],
    )
}

/// A text that people see.
fn shown(path: &'static str, max: u32, what: &str) -> Topic {
    Topic::new(
        path,
        vec![
            part(
                format!(
                    r"self.matches('[^\\s\\p{{Z}}]') && {} <= {max}",
                    length("self")
                ),
                &format!(
                    "{what} has 1 to {max} characters (Chinese, Japanese and Korean ones count twice): change it"
                ),
            ),
            part(
                format!("!self.matches('{EMOJI}')"),
                &format!("TikTok takes no emoji in {what}: remove them"),
            ),
            part(
                r"!self.matches('\\p{Cc}')",
                &format!("{what} has no line break or tab: remove them"),
            ),
        ],
    )
}

/// The address of a web page.
fn web_address(path: &'static str) -> Topic {
    let text = "write the whole address, such as https://example.com/spring: with https:// or http:// and no blanks";
    let holds = r"self.matches('^https?://[^\\s/?#]+[^\\s]*$')";
    Topic::new(path, vec![part(holds, text)])
}

/// Ids in a short list: each is an id.
fn ids(path: &'static str) -> Topic {
    let text = "ids are digits only, in quotes, such as \"1790000000000000001\": copy them from TikTok Ads Manager";
    Topic::new(
        path,
        vec![part(format!("self.all(x, x.matches('{ID}'))"), text)],
    )
}

/// A list in which nothing is there twice. For short lists: the cost grows with the square of their length.
fn once_each(list: &str) -> String {
    format!("{list}.all(a, {list}.exists_one(b, a == b))")
}

/// That a field below `root` is there, by a dotted path.
fn present(root: &str, path: &str) -> String {
    let mut reached = root.to_owned();
    let steps: Vec<_> = path
        .split('.')
        .map(|step| {
            reached = format!("{reached}.{step}");
            format!("has({reached})")
        })
        .collect();
    steps.join(" && ")
}

/// A field of the spec that TikTok fixes at creation, by a dotted path. Stated on the spec, so that removing a field
/// and adding it back is no way round. An adopted object may say later what it did not say at first: that only
/// describes what is there.
fn fixed(path: &'static str) -> (&'static str, String) {
    let (old, new) = (present("oldSelf", path), present("self", path));
    let holds = format!(
        "({old}) ? {new} && self.{path} == oldSelf.{path} : !({new}) || has(self.externalId)"
    );
    (path, holds)
}

/// Like [`fixed`], for a short list whose order does not matter.
fn fixed_list(path: &'static str) -> (&'static str, String) {
    let (old, new) = (present("oldSelf", path), present("self", path));
    let holds = format!(
        "({old}) ? {new} && self.{path}.all(x, x in oldSelf.{path}) && oldSelf.{path}.all(x, x in self.{path}) : \
         !({new}) || has(self.externalId)"
    );
    (path, holds)
}

/// The rule over what TikTok fixes at creation.
fn fixed_at_creation(kind: &str, fields: &[(&str, String)]) -> Topic {
    let what = platform_word(kind);
    let article = if what.starts_with('a') { "an" } else { "a" };
    let text = format!(
        "TikTok fixes this when {article} {what} is created, so it cannot be changed, added or removed later: put it \
         back as it was, or make a new {kind}. Changed here:"
    );
    Topic::new("spec", vec![name_failing(fields, &text)])
}

/// What every object's later life keeps to.
fn life(kind: &str) -> Vec<Part> {
    vec![
        part(
            "!has(oldSelf.externalId) || (has(self.externalId) && self.externalId == oldSelf.externalId)",
            &format!(
                "externalId cannot be changed or removed once it is set: put it back, or make a new {kind} for the \
                 other id"
            ),
        ),
        part(
            "!has(oldSelf.incarnation) || (has(self.incarnation) && self.incarnation >= oldSelf.incarnation)",
            &format!(
                "incarnation can only grow: put it back, or raise it to ask for a new {} on TikTok",
                platform_word(kind)
            ),
        ),
    ]
}

/// TikTok's word for a kind: `AdGroup` is an ad group there.
fn platform_word(kind: &str) -> String {
    let mut word = String::new();
    for letter in kind.chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push(' ');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}
