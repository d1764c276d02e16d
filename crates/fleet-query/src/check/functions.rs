//! Which dialect has which function, and what the functions accept.

use super::typing::Static;
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::{Dialect, Mode};
use crate::expression::Function;
use crate::syntax::ast::{Expr, Name, Node, Step};

/// What an argument must be.
#[derive(Clone, Copy)]
pub(crate) enum Wants {
    Anything,
    Number,
    Text,
    /// A number or a text that may be one.
    Numeric,
    Array,
}

/// The kinds of a function's arguments by position, and of its result.
pub(crate) fn signature(function: Function) -> (fn(usize) -> Wants, Static) {
    match function {
        Function::IsDefined
        | Function::IsNull
        | Function::IsBool
        | Function::IsNumber
        | Function::IsString
        | Function::IsObject
        | Function::IsArray
        | Function::IsPrimitive
        | Function::TwinChangeIncludes => (|_| Wants::Anything, Static::Bool),
        Function::AsNumber => (|_| Wants::Numeric, Static::Number),
        Function::Abs
        | Function::Exp
        | Function::Power
        | Function::Square
        | Function::Ceiling
        | Function::Floor
        | Function::Sign
        | Function::Sqrt => (|_| Wants::Number, Static::Number),
        Function::Concat | Function::Lower | Function::Upper => (|_| Wants::Text, Static::Text),
        Function::Length | Function::IndexOf => (|_| Wants::Text, Static::Number),
        Function::Substring => (
            |at| if at == 0 { Wants::Text } else { Wants::Number },
            Static::Text,
        ),
        Function::StartsWith | Function::EndsWith | Function::Contains => {
            (|_| Wants::Text, Static::Bool)
        }
        Function::ArrayContains => (
            |at| {
                if at == 0 {
                    Wants::Array
                } else {
                    Wants::Anything
                }
            },
            Static::Bool,
        ),
    }
}

/// The function that a call names, if it exists in the dialect and has the right number of arguments.
pub(crate) fn resolve(
    name: &Name,
    arguments: &[Expr],
    dialect: Dialect,
    mode: Mode,
    found: &mut Vec<Diagnostic>,
) -> Option<Function> {
    let span = name.at.0;
    let Some(function) = Function::named(&name.text) else {
        let known = Function::ALL
            .iter()
            .flat_map(|function| function.names().iter().copied());
        let diagnostic = Diagnostic::error(
            Code::UnknownFunction,
            span,
            format!("there is no function `{}`", name.text),
        );
        let help = match (
            instead(&name.text),
            super::names::closest(&name.text, known),
        ) {
            (Some(help), _) => help.to_owned(),
            (None, Some(close)) => format!("did you mean `{close}`?"),
            (None, None) => {
                let all = Function::ALL
                    .iter()
                    .filter(|one| available(**one, one.name(), dialect, mode));
                let names: Vec<&str> = all.map(|one| one.name()).collect();
                match names.as_slice() {
                    [] => "this dialect has no functions".to_owned(),
                    names => format!("the functions are {}", names.join(", ")),
                }
            }
        };
        found.push(diagnostic.with_help(help));
        return None;
    };
    if !available(function, &name.text, dialect, mode) {
        let diagnostic = Diagnostic::error(
            Code::UnsupportedInDialect,
            span,
            format!(
                "`{}` does not exist in {dialect} conditions{}",
                name.text,
                strictly(mode)
            ),
        );
        found.push(match (function, mode) {
            (Function::StartsWith, Mode::Strict) => {
                diagnostic.with_help("here it is spelt `STARTSWITH`")
            }
            _ => diagnostic,
        });
        return None;
    }
    let (min, max) = function.arity();
    if arguments.len() < min || arguments.len() > max {
        let expected = match (min, max) {
            (1, 1) => "1 argument".to_owned(),
            (min, max) if min == max => format!("{min} arguments"),
            (min, 1000) => format!("{min} or more arguments"),
            (min, max) => format!("{min} to {max} arguments"),
        };
        let message = format!(
            "{} takes {expected}, not {}",
            function.name(),
            arguments.len()
        );
        found.push(Diagnostic::error(Code::Arity, span, message));
        return None;
    }
    if function == Function::TwinChangeIncludes {
        twin_change(arguments, found);
    }
    Some(function)
}

/// What to write instead of a function that SQL has.
fn instead(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_uppercase().as_str() {
        "NOW" | "GETDATE" | "CURRENT_TIMESTAMP" | "DATE" | "TIMESTAMP" | "DATEADD" => {
            "times are texts: write the instant, `lastActivityTime > '2026-01-31T12:00:00Z'`, or a parameter, `@since`"
        }
        "COUNT" | "SUM" | "AVG" | "MIN" | "MAX" => "aggregates stand in the list of SELECT only",
        "COALESCE" | "IFNULL" | "NVL" => "ask with `IS_DEFINED(field)` whether there is a value",
        "EXISTS" | "EXIST" | "ISDEFINED" => "write `IS_DEFINED(field)`",
        "LEN" => "write `LENGTH(text)`",
        "CAST" | "CONVERT" | "NUMBER" | "TO_NUMBER" => "write `AS_NUMBER(text)`",
        "REGEXP" | "REGEX" | "REGEXMATCH" | "MATCHES" | "LIKE" => {
            "there are no regular expressions: write STARTSWITH, ENDSWITH or CONTAINS"
        }
        _ => return None,
    })
}

const fn strictly(mode: Mode) -> &'static str {
    match mode {
        Mode::Strict => " as documented",
        Mode::Lenient => "",
    }
}

/// Azure spec 3.6, "Which functions in which dialect".
fn available(function: Function, spelling: &str, dialect: Dialect, mode: Mode) -> bool {
    match (dialect, mode) {
        (Dialect::Routing, Mode::Lenient) => true,
        (Dialect::Routing, Mode::Strict) => function != Function::ArrayContains,
        (_, Mode::Lenient) => function != Function::TwinChangeIncludes,
        (Dialect::Target | Dialect::TargetModules, Mode::Strict) => false,
        (_, Mode::Strict) => match function {
            Function::IsDefined | Function::ArrayContains => true,
            Function::StartsWith => spelling.eq_ignore_ascii_case("STARTSWITH"),
            _ => false,
        },
    }
}

/// The path must lie in a section of the twin. An array index is no part of a name.
fn twin_change(arguments: &[Expr], found: &mut Vec<Diagnostic>) {
    let Some(argument) = arguments.first() else {
        return;
    };
    let text = match &argument.node {
        Node::Path(path) => match path.steps.first() {
            Some(Step::Key(key)) => key.as_str(),
            _ => "",
        },
        _ => "",
    };
    let allowed = ["properties.reported.", "properties.desired.", "tags."];
    if !allowed.iter().any(|prefix| text.starts_with(prefix)) {
        found.push(
            Diagnostic::error(Code::NameNotAllowed, argument.span(), "TWIN_CHANGE_INCLUDES takes a path of the twin")
                .with_help("write `TWIN_CHANGE_INCLUDES(properties.reported.x)`; array indices are not allowed"),
        );
    }
}
