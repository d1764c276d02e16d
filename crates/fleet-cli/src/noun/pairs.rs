//! `NAME=VALUE` arguments.

use serde_json::{Map, Value};

use crate::failure::{Failure, Problem};

/// `--attr NAME=VALUE`.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl std::str::FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err(format!("`{text}` is not of the form NAME=VALUE")),
        }
    }
}

/// The pairs as an object of texts; a name given twice is refused.
pub(crate) fn texts(pairs: &[Pair]) -> Result<Map<String, Value>, Failure> {
    let mut object = Map::new();
    for pair in pairs {
        let before = object.insert(pair.name.clone(), pair.value.clone().into());
        if before.is_some() {
            return Err(twice(&pair.name));
        }
    }
    Ok(object)
}

/// The pairs as a document: `a.b=1` is `{"a":{"b":1}}`.
///
/// A value that is JSON is taken as JSON (`true`, `3.5`, `null`, `[1,2]`, `{"x":1}`, `"7"`), everything else as text.
pub(crate) fn document(pairs: &[Pair]) -> Result<Value, Failure> {
    document_of(pairs, |_| false)
}

/// As [`document`], but a value is text, JSON or not, where `is_text` says so of its path.
pub(crate) fn document_of(
    pairs: &[Pair],
    is_text: impl Fn(&str) -> bool,
) -> Result<Value, Failure> {
    let mut root = Map::new();
    for pair in pairs {
        let text = || Value::String(pair.value.clone());
        let value = if is_text(&pair.name) {
            text()
        } else {
            serde_json::from_str(&pair.value).unwrap_or_else(|_| text())
        };
        let mut at = &mut root;
        let mut names = pair.name.split('.').peekable();
        while let Some(name) = names.next() {
            if name.is_empty() {
                return Err(Failure::usage(
                    "cli.path",
                    format!("`{}` has an empty name in its path", pair.name),
                ));
            }
            if names.peek().is_none() {
                if at.contains_key(name) {
                    return Err(twice(&pair.name));
                }
                at.insert(name.to_owned(), value);
                break;
            }
            let next = at
                .entry(name)
                .or_insert_with(|| Value::Object(Map::new()))
                .as_object_mut();
            match next {
                Some(next) => at = next,
                None => return Err(twice(&pair.name)),
            }
        }
    }
    Ok(Value::Object(root))
}

fn twice(name: &str) -> Failure {
    Failure::Usage(
        Problem::new("cli.given_twice", format!("`{name}` is given twice"))
            .help("give each name one value"),
    )
}

/// A JSON document of the command line: the text itself, `@FILE`, or `-` for standard input.
pub(crate) fn json_argument(text: &str) -> Result<Value, Failure> {
    let (source, text) = match text.strip_prefix('@') {
        Some(path) => (path, crate::input::read_text(path)?),
        None if text == "-" => ("standard input", crate::input::read_text("-")?),
        None => ("the argument", text.to_owned()),
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::Usage(
            Problem::new(
                "cli.not_json",
                format!("{source} is not a JSON document: {error}"),
            )
            .help("give the document as text, as `@FILE`, or as `-` for standard input"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pairs(texts: &[&str]) -> Vec<Pair> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn paths_nest_and_json_values_keep_their_kind() {
        let made = document(&pairs(&[
            "a.b=1", "a.c=x y", "d=null", "e=\"7\"", "f=[1,2]", "g=",
        ]))
        .unwrap();
        assert_eq!(
            made,
            json!({"a":{"b":1,"c":"x y"},"d":null,"e":"7","f":[1,2],"g":""})
        );
    }

    #[test]
    fn a_name_given_twice_is_refused() {
        assert!(document(&pairs(&["a=1", "a.b=2"])).is_err());
        assert!(document(&pairs(&["a.b=1", "a.b=2"])).is_err());
        assert!(document(&pairs(&["a..b=1"])).is_err());
        assert!(texts(&pairs(&["a=1", "a=2"])).is_err());
        assert!("=1".parse::<Pair>().is_err());
    }
}
