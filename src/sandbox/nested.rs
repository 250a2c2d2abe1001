//! Bodies with objects and lists inside: types are checked at every depth, and a refusal names the place as TikTok does
//! (`creative_list.0.creative_info.video_info.video_id`).

use serde_json::{Map, Value, json};

use super::{
    envelope::Refusal,
    fields::check_word,
    query::{id_value, missing},
};

/// A member of an object.
pub(super) struct Member {
    pub name: &'static str,
    pub shape: Shape,
    pub required: bool,
}

/// What a value must be.
pub(super) enum Shape {
    Id,
    Text,
    Bool,
    OneOf(&'static [&'static str]),
    Object(&'static [Member]),
    /// A list with at least and at most so many.
    List(&'static Shape, usize, usize),
}

/// A member that must be there.
pub(super) const fn must(name: &'static str, shape: Shape) -> Member {
    Member {
        name,
        shape,
        required: true,
    }
}

/// A member that may be absent or null.
pub(super) const fn may(name: &'static str, shape: Shape) -> Member {
    Member {
        name,
        shape,
        required: false,
    }
}

/// How bodies are read.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    /// Whether an id may be a JSON number.
    pub numeric_ids: bool,
    /// Whether required members have to be there: yes in a create, no in an update that sends a part.
    pub complete: bool,
}

impl Reader {
    /// Checks an object and returns what the table knows of it, without nulls. The places of everything else are added
    /// to `unknown`. Only the outermost object of an incomplete body may lack members.
    pub(super) fn object(
        self,
        members: &[Member],
        map: &Map<String, Value>,
        unknown: &mut Vec<String>,
    ) -> Result<Map<String, Value>, Refusal> {
        self.members("", members, map, unknown)
    }

    fn members(
        self,
        place: &str,
        members: &[Member],
        map: &Map<String, Value>,
        unknown: &mut Vec<String>,
    ) -> Result<Map<String, Value>, Refusal> {
        let mut known = Map::new();
        for member in members {
            let place = join(place, member.name);
            match map.get(member.name).filter(|value| !value.is_null()) {
                Some(value) => {
                    let value = self.value(&place, &member.shape, value, unknown)?;
                    known.insert(member.name.into(), value);
                }
                None if member.required && self.complete => return Err(missing(&place)),
                None => {}
            }
        }
        let strange = map
            .keys()
            .filter(|key| !members.iter().any(|member| member.name == key.as_str()));
        unknown.extend(strange.map(|key| join(place, key)));
        Ok(known)
    }

    fn value(
        self,
        place: &str,
        shape: &Shape,
        value: &Value,
        unknown: &mut Vec<String>,
    ) -> Result<Value, Refusal> {
        let wrong = |what: &str| Refusal::parameter(format!("{place}: Not a valid {what}."));
        match shape {
            Shape::Id => id_value(place, value, self.numeric_ids).map(Value::String),
            Shape::Text if value.is_string() => Ok(value.clone()),
            Shape::Text => Err(wrong("string")),
            Shape::Bool if value.is_boolean() => Ok(value.clone()),
            Shape::Bool => Err(wrong("boolean")),
            Shape::OneOf(words) => {
                let word = value.as_str().ok_or_else(|| wrong("string"))?;
                check_word(place, word, words)?;
                Ok(value.clone())
            }
            Shape::Object(members) => {
                let map = value.as_object().ok_or_else(|| wrong("object"))?;
                // What is inside an object or list is sent whole.
                let whole = Self {
                    complete: true,
                    ..self
                };
                whole
                    .members(place, members, map, unknown)
                    .map(Value::Object)
            }
            Shape::List(element, least, most) => {
                let list = value.as_array().ok_or_else(|| wrong("list"))?;
                if list.len() < *least {
                    return Err(Refusal::parameter(format!(
                        "{place}: Shorter than minimum length {least}."
                    )));
                }
                if list.len() > *most {
                    return Err(Refusal::parameter(format!(
                        "{place}: Longer than maximum length {most}."
                    )));
                }
                let list: Result<Vec<Value>, Refusal> = list
                    .iter()
                    .enumerate()
                    .map(|(index, value)| {
                        self.value(&join(place, &index.to_string()), element, value, unknown)
                    })
                    .collect();
                Ok(json!(list?))
            }
        }
    }
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() {
        name.to_owned()
    } else {
        format!("{place}.{name}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    const INNER: &[Member] = &[must("id", Shape::Id), may("text", Shape::Text)];
    const OUTER: &[Member] = &[
        must("name", Shape::Text),
        may("on", Shape::Bool),
        may("list", Shape::List(&Shape::Object(INNER), 1, 2)),
        may("word", Shape::OneOf(&["A", "B"])),
    ];

    fn read(complete: bool, body: Value) -> Result<(Value, Vec<String>), String> {
        let reader = Reader {
            numeric_ids: false,
            complete,
        };
        let mut unknown = Vec::new();
        reader
            .object(OUTER, body.as_object().unwrap(), &mut unknown)
            .map(|map| (Value::Object(map), unknown))
            .map_err(|refusal| refusal.message)
    }

    #[test]
    fn refusals_name_the_place() {
        for (body, text) in [
            (json!({}), "name: Missing data for required field."),
            (json!({"name": 5}), "name: Not a valid string."),
            (
                json!({"name": "", "on": "true"}),
                "on: Not a valid boolean.",
            ),
            (
                json!({"name": "", "word": "C"}),
                "word: Must be one of: A, B.",
            ),
            (json!({"name": "", "list": {}}), "list: Not a valid list."),
            (
                json!({"name": "", "list": []}),
                "list: Shorter than minimum length 1.",
            ),
            (
                json!({"name": "", "list": [{"id": "1"}, {"id": "1"}, {"id": "1"}]}),
                "list: Longer than maximum length 2.",
            ),
            (
                json!({"name": "", "list": ["1"]}),
                "list.0: Not a valid object.",
            ),
            (
                json!({"name": "", "list": [{"id": "1"}, {}]}),
                "list.1.id: Missing data for required field.",
            ),
            (
                json!({"name": "", "list": [{"id": "x"}]}),
                "list.0.id: Not a valid int64 string.",
            ),
        ] {
            assert_eq!(read(true, body.clone()), Err(text.to_owned()), "{body}");
        }
    }

    #[test]
    fn nulls_are_absent_and_strangers_are_named() {
        let body =
            json!({"name": "n", "on": null, "list": [{"id": "1", "text": null, "x": 1}], "y": 2});
        let (known, unknown) = read(true, body).unwrap();
        assert_eq!(known, json!({"name": "n", "list": [{"id": "1"}]}));
        assert_eq!(unknown, ["list.0.x", "y"]);
    }

    #[test]
    fn a_part_lacks_members_only_outside() {
        assert!(read(false, json!({"list": [{"id": "1"}]})).is_ok());
        assert_eq!(
            read(false, json!({"list": [{}]})),
            Err("list.0.id: Missing data for required field.".to_owned())
        );
    }
}
