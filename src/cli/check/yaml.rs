//! Manifests as written: the documents of a file, every value with its line.
//!
//! Documents are split as kubectl splits them, at lines that begin with `---`, so that one broken document does not
//! hide the others.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value, json};
use serde_saphyr::{Error, Spanned, UserMessageFormatter};

/// One document of a file.
#[derive(Debug)]
pub(super) struct Document {
    /// Which one of the file, from 1.
    pub(super) index: usize,
    /// The line it begins at, from 1.
    pub(super) line: usize,
    /// What it holds, or why it cannot be read.
    pub(super) content: Result<Node, Broken>,
}

/// Why a document cannot be read.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) line: usize,
    pub(super) text: String,
}

/// A value and the line it begins at.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Yaml,
}

/// A value of YAML. Keys keep their order; a float keeps no text, because none is valid anywhere.
#[derive(Clone, Debug)]
pub(super) enum Yaml {
    Null,
    Bool(bool),
    Int(Number),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    /// Key, the line of the value, the value.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Yaml::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The text at a path of keys.
    pub(super) fn text(&self, path: &[&str]) -> Option<&str> {
        let node = path.iter().try_fold(self, |node, key| node.get(key))?;
        match &node.value {
            Yaml::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The line of the value at a dotted path such as `spec.list[0].name`, or of what is nearest above it.
    pub(super) fn line_of(&self, path: &str) -> usize {
        let mut node = self;
        for step in path.split('.').filter(|s| !s.is_empty()) {
            let (key, index) = match step.split_once('[') {
                Some((key, rest)) => (key, rest.trim_end_matches(']').parse::<usize>().ok()),
                None => (step, None),
            };
            let Some(below) = node.get(key) else { break };
            node = below;
            if let (Some(index), Yaml::List(items)) = (index, &node.value)
                && let Some(item) = items.get(index)
            {
                node = item;
            }
        }
        node.line
    }

    /// The value as the server sees it: what is null is left out.
    pub(super) fn to_json(&self) -> Value {
        match &self.value {
            Yaml::Null => Value::Null,
            Yaml::Bool(b) => json!(b),
            Yaml::Int(n) => Value::Number(n.clone()),
            Yaml::Float(f) => json!(f),
            Yaml::Text(text) => json!(text),
            Yaml::List(items) => items.iter().map(Node::to_json).collect(),
            Yaml::Map(entries) => entries
                .iter()
                .filter(|(_, node)| !matches!(node.value, Yaml::Null))
                .map(|(key, node)| (key.clone(), node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    fn shift(&mut self, lines: usize) {
        self.line += lines;
        match &mut self.value {
            Yaml::List(items) => items.iter_mut().for_each(|n| n.shift(lines)),
            Yaml::Map(entries) => entries.iter_mut().for_each(|(_, n)| n.shift(lines)),
            _ => {}
        }
    }
}

/// The documents of a file that are not empty.
pub(super) fn documents(text: &str) -> Vec<Document> {
    let mut parts: Vec<(usize, String)> = vec![(0, String::new())];
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.starts_with("---") && line[3..].trim_start().is_empty() {
            parts.push((number + 1, String::new()));
        } else if let Some((_, part)) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    let filled = parts
        .into_iter()
        .filter(|(_, part)| part.lines().any(has_content));
    filled
        .enumerate()
        .map(|(index, (offset, part))| {
            let first = part.lines().position(has_content).unwrap_or(0);
            Document {
                index: index + 1,
                line: offset + first + 1,
                content: parse(&part, offset),
            }
        })
        .collect()
}

fn has_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

fn parse(part: &str, offset: usize) -> Result<Node, Broken> {
    match serde_saphyr::from_str::<Node>(part) {
        Ok(mut node) => {
            node.shift(offset);
            Ok(node)
        }
        Err(error) => {
            let line = error
                .location()
                .map_or(1, |l| usize::try_from(l.line()).unwrap_or(1));
            let text = if part.contains("{{") {
                "this is not YAML: if this is a Helm template, run helm template first, and check what it prints"
                    .to_owned()
            } else if let Error::DuplicateMappingKey { key, .. } = error.without_snippet() {
                twice(part, key.as_deref(), line, offset)
            } else {
                format!("this is not YAML: {}", words(&error))
            };
            Err(Broken {
                line: line + offset,
                text,
            })
        }
    }
}

/// A key that a block has twice, the second time at `line` of this document.
fn twice(part: &str, key: Option<&str>, line: usize, offset: usize) -> String {
    let Some(key) = key else {
        return "the same field is written twice: remove one".to_owned();
    };
    let lines: Vec<_> = part.lines().collect();
    let deep = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let here = lines
        .get(line.saturating_sub(1))
        .copied()
        .unwrap_or_default();
    let is = |line: &str| {
        let written = line.trim_start_matches([' ', '-']).split_once(':');
        written.is_some_and(|(k, _)| k.trim().trim_matches(['"', '\'']) == key)
    };
    // The first one stands above, as deep, with nothing less deep between.
    let above = lines
        .iter()
        .enumerate()
        .take(line.saturating_sub(1))
        .rev()
        .filter(|(_, line)| has_content(line))
        .take_while(|(_, line)| deep(line) >= deep(here))
        .find(|(_, line)| deep(line) == deep(here) && is(line))
        .filter(|_| is(here));
    match above {
        Some((first, _)) => format!(
            "{key} is written twice (lines {} and {}): remove one",
            first + 1 + offset,
            line + offset
        ),
        None => format!("{key} is written twice: remove one"),
    }
}

/// What the parser says, without its position, which is within this document, and without words about itself.
fn words(error: &Error) -> String {
    let error = error.without_snippet();
    let text = error.render_with_formatter(&UserMessageFormatter);
    // The first line says it; the rest is an excerpt of the file.
    let text = text.lines().next().unwrap_or_default();
    let text = text.split(" at line ").next().unwrap_or_default();
    if text.split(' ').any(|word| word == "tab" || word == "tabs") {
        return "there is a tab: indent with spaces".to_owned();
    }
    text.to_owned()
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Yaml>::deserialize(deserializer)?;
        let line = usize::try_from(spanned.referenced.line()).unwrap_or(1);
        Ok(Node {
            line,
            value: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YamlVisitor)
    }
}

struct YamlVisitor;

impl<'de> Visitor<'de> for YamlVisitor {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_none<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Yaml, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Yaml, E> {
        Ok(Yaml::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Yaml, E> {
        Ok(Yaml::Int(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Yaml, E> {
        Ok(Yaml::Int(v.into()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Yaml, E> {
        Ok(Yaml::Float(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Yaml, E> {
        Ok(Yaml::Text(v.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Yaml, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Yaml::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Yaml, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Yaml::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_values_know_their_lines() {
        let text = "# a comment\n---\nkind: A\nspec:\n  list:\n    - x: 1\n    - x: 2\n---\n---\n\n# two\nkind: B\n";
        let documents = documents(text);
        assert_eq!(documents.len(), 2);
        let first = documents[0].content.as_ref().unwrap();
        assert_eq!((documents[0].line, documents[1].line), (3, 12));
        assert_eq!(first.line_of("spec.list[1].x"), 7);
        assert_eq!(first.line_of("spec.list[1].missing"), 7);
        assert_eq!(
            documents[1].content.as_ref().unwrap().text(&["kind"]),
            Some("B")
        );
    }

    #[test]
    fn a_broken_document_does_not_hide_the_next() {
        let documents = documents("a: 1\n---\na: [1\n---\na: 1\na: 2\n---\nb: 2\n");
        let broken: Vec<_> = documents
            .iter()
            .map(|d| d.content.as_ref().err().map(|b| b.line))
            .collect();
        assert_eq!(broken.len(), 4);
        assert!(broken[0].is_none() && broken[3].is_none(), "{broken:?}");
        assert!(
            broken[1].is_some_and(|l| l >= 3) && broken[2] == Some(6),
            "{broken:?}"
        );
    }

    fn broken(text: &str) -> String {
        let documents = documents(text);
        let broken = documents.into_iter().find_map(|d| d.content.err());
        broken.map(|b| b.text).unwrap_or_default()
    }

    #[test]
    fn what_is_broken_is_said_in_words_of_our_own() {
        assert_eq!(
            broken("x: 1\n---\nspec:\n  state: Active\n  budget:\n    state: 1\n  state: Paused\n"),
            "state is written twice (lines 4 and 7): remove one"
        );
        assert_eq!(
            broken("list:\n  - a: 1\n    b: 2\n    \"a\": 3\n"),
            "a is written twice (lines 2 and 4): remove one"
        );
        assert_eq!(
            broken("list:\n  - a: 1\n  - {a: 1, a: 2}\n"),
            "a is written twice: remove one"
        );
        assert_eq!(
            broken("a:\n\tb: 1\n"),
            "this is not YAML: there is a tab: indent with spaces"
        );
        for template in [
            "kind: A\n{{- if .Values.on }}\nx: 1\n{{- end }}\n",
            "kind: {{ .Values.kind }}\n",
        ] {
            assert!(
                broken(template).contains("run helm template first"),
                "{template}: {}",
                broken(template)
            );
        }
    }

    #[test]
    fn values_are_typed_as_kubectl_types_them() {
        let documents =
            documents("a: yes\nb: 49.90\nc: 50\nd: \"50\"\ne:\nf: 12345678901234567890\n");
        let node = documents[0].content.as_ref().unwrap();
        assert!(matches!(node.get("a").unwrap().value, Yaml::Bool(true)));
        assert!(matches!(node.get("b").unwrap().value, Yaml::Float(_)));
        assert!(matches!(node.get("c").unwrap().value, Yaml::Int(_)));
        assert!(matches!(node.get("d").unwrap().value, Yaml::Text(_)));
        assert!(matches!(node.get("e").unwrap().value, Yaml::Null));
        assert!(matches!(node.get("f").unwrap().value, Yaml::Int(_)));
        assert!(node.to_json().get("e").is_none());
    }
}
