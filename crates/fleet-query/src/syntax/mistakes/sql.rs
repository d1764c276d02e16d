//! Mistakes in the IoT Hub, target and routing dialects: mostly what SQL has and they have not.

use super::{Known, known, last_word, open_quote, token, unclosed};
use crate::check::NO_DISTINCT;
use crate::dialect::Dialect;
use crate::expression::Function;

/// What is known of the place between `before` and `rest`.
pub(super) fn mistake(before: &str, rest: &str, dialect: Dialect) -> Option<Known> {
    let place = Place {
        before,
        rest,
        last: last_word(before),
        next: token(rest).to_ascii_uppercase(),
        dialect,
    };
    place
        .bracket()
        .or_else(|| place.distinct())
        .or_else(|| place.operator())
        .or_else(|| place.list())
        .or_else(|| place.word())
        .or_else(|| place.beginning())
        .or_else(|| place.end())
        .or_else(|| place.name())
        .or_else(|| place.function())
        .or_else(|| place.quote())
}

/// Where parsing stopped.
struct Place<'a> {
    before: &'a str,
    rest: &'a str,
    /// The word before it, in capitals.
    last: String,
    /// The token after it, in capitals.
    next: String,
    dialect: Dialect,
}

impl Place<'_> {
    fn follows(&self, words: &[&str]) -> bool {
        words.contains(&self.last.as_str())
    }

    fn precedes(&self, words: &[&str]) -> bool {
        words.contains(&self.next.as_str())
    }

    const fn is_target(&self) -> bool {
        matches!(self.dialect, Dialect::Target | Dialect::TargetModules)
    }

    const fn is_statement(&self) -> bool {
        matches!(
            self.dialect,
            Dialect::IotHub | Dialect::IotHubModules | Dialect::IotHubJobs
        )
    }

    /// Whether an operand is missing before the place.
    fn lacks_operand(&self) -> bool {
        self.before.is_empty()
            || self
                .before
                .ends_with(['(', ',', '=', '<', '>', '+', '*', '/', '%'])
            || self.follows(&["AND", "OR", "NOT", "WHERE"])
    }

    fn bracket(&self) -> Option<Known> {
        if self.rest.starts_with(')') && unclosed(self.before, self.dialect).is_none() {
            return known(
                "the bracket has no opening one",
                "leave it away, or open one before it",
            );
        }
        None
    }

    fn distinct(&self) -> Option<Known> {
        let words = self.before.split_whitespace();
        if !words
            .map(str::to_ascii_uppercase)
            .take(2)
            .eq(["SELECT", "DISTINCT"])
        {
            return None;
        }
        let select = "SELECT".len();
        Some(Known {
            message: "DISTINCT does not exist in this dialect".into(),
            help: NO_DISTINCT.to_owned(),
            back: self.before.trim_start().len().saturating_sub(select + 1),
        })
    }

    fn operator(&self) -> Option<Known> {
        let starts = |sign: &str| self.rest.starts_with(sign);
        if self.before.ends_with('=') && starts("=") {
            return Some(Known {
                message: "`==` is not an operator".into(),
                help: "equality is written `=`".into(),
                back: 1,
            });
        }
        if self.before.ends_with('=') && starts("~") {
            return Some(Known {
                message: "`=~` is not an operator".into(),
                help: NO_EXPRESSIONS.into(),
                back: 1,
            });
        }
        if starts("&&") {
            return known("`&&` is not an operator", "write `AND`");
        }
        if starts("||") {
            return known(
                "`||` is not an operator here",
                "write `OR`; texts are joined with CONCAT in routing conditions",
            );
        }
        if starts("??") && self.dialect != Dialect::Routing {
            return known(
                "`??` exists in routing conditions only",
                "ask with `IS_DEFINED(field)` whether there is a value",
            );
        }
        if starts("!") {
            return known(
                "`!` is not an operator",
                "write `NOT` before the condition, or `!=` for unequal",
            );
        }
        if starts(":") {
            return known(
                "`:` is not an operator",
                "equality is written `=`; `field:value` is of the dialects aws and aws-groups",
            );
        }
        if starts(";") {
            return known("`;` does not end a condition", "leave it away");
        }
        if starts("+") && self.lacks_operand() {
            return known("a number has no `+` before it", "leave it away");
        }
        if self.rest.starts_with(['=', '<', '>']) && !self.before.ends_with(['=', '<', '>']) {
            let sign = token(self.rest);
            return if self.lacks_operand() {
                known(
                    format!("nothing stands before `{sign}`"),
                    "each comparison names its field: `a > 1 AND a < 5`",
                )
            } else {
                known(
                    "a comparison does not chain",
                    "join two with AND: `20 < a AND a < 60`",
                )
            };
        }
        None
    }

    fn list(&self) -> Option<Known> {
        let opens = self.rest.starts_with(['(', '[', '\'', '"']);
        if self.is_target() && self.follows(&["IN", "NIN"]) && opens
            || self.dialect == Dialect::Routing && self.precedes(&["IN", "NIN"])
        {
            let conditions = if self.is_target() {
                "target"
            } else {
                "routing"
            };
            return known(
                format!("IN and NIN do not exist in {conditions} conditions"),
                "write `a = 'x' OR a = 'y'`",
            );
        }
        if opens && self.follows(&["IN", "NIN"]) {
            return known("a list stands in square brackets", "write `IN ['a', 'b']`");
        }
        let in_list = matches!(unclosed(self.before, self.dialect), Some((_, '[')));
        let name = self
            .rest
            .starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$');
        if in_list && name && self.before.ends_with(['[', ',']) {
            return known(
                "a list holds texts in quotes, numbers, true, false and null",
                "write `IN ['a', 'b']`; another field is compared with `=`",
            );
        }
        None
    }

    /// Words of SQL.
    fn word(&self) -> Option<Known> {
        let next = self.next.as_str();
        let lacks = |help: &str| known(format!("{next} does not exist in this dialect"), help);
        match next {
            "LIKE" => lacks(
                "write `STARTSWITH(field, 'prefix')` for a prefix, ENDSWITH for a suffix, CONTAINS for a part",
            ),
            "MATCHES" | "REGEXP" | "RLIKE" | "SIMILAR" | "GLOB" => lacks(NO_EXPRESSIONS),
            "BETWEEN" => lacks("write `field >= low AND field <= high`"),
            "IS" => known(
                "`IS` is not an operator",
                "write `NOT IS_DEFINED(field)` where nothing is stored, `IS_NULL(field)` where null is",
            ),
            "ORDER" => known(
                "ORDER BY does not exist in this dialect",
                "rows always come in the order of their ids",
            ),
            "LIMIT" => lacks("write `SELECT TOP 10 …`"),
            "DISTINCT" => lacks(NO_DISTINCT),
            "HAVING" | "JOIN" | "OFFSET" | "UNION" => {
                lacks("the language has SELECT, TOP, FROM, WHERE, GROUP BY and nothing else")
            }
            "NOT" if self.is_target() => {
                known("NOT needs AND or OR before it", "write `a AND NOT b`")
            }
            _ => None,
        }
    }

    /// What a text of the dialect begins with.
    fn beginning(&self) -> Option<Known> {
        let first = self.before.split_whitespace().next();
        let selects = first.is_some_and(|word| word.eq_ignore_ascii_case("SELECT"));
        if self.dialect == Dialect::Routing && selects
            || self.dialect == Dialect::Target && self.precedes(&["SELECT", "FROM", "WHERE"])
            || self.dialect == Dialect::TargetModules && self.precedes(&["SELECT"])
        {
            return known(
                "this dialect takes a bare condition",
                match self.dialect {
                    Dialect::TargetModules => "write `from devices.modules where` before it",
                    _ => "write only what would stand after WHERE",
                },
            );
        }
        if !self.before.is_empty() {
            let names_none =
                self.is_statement() && !self.before.to_ascii_uppercase().contains("FROM");
            if names_none && self.precedes(&["WHERE", "GROUP"]) {
                return known(
                    "a query names the collection that it reads",
                    format!("write `FROM {}` before {}", self.collection(), self.next),
                );
            }
            if self.is_statement() && self.follows(&["SELECT"]) && self.precedes(&["FROM"]) {
                return known(
                    "nothing stands between SELECT and FROM",
                    "write `SELECT * FROM …` for everything",
                );
            }
            let mut words = self.before.split_whitespace().rev();
            let alias = words
                .nth(1)
                .is_some_and(|word| word.eq_ignore_ascii_case("FROM"))
                && self.is_statement()
                && self.rest.starts_with(char::is_alphabetic);
            if alias {
                return known(
                    "a collection has no other name here",
                    "leave it away: paths begin at the root of the twin, `tags.region`",
                );
            }
            return None;
        }
        match self.dialect {
            Dialect::TargetModules => known(
                "a module target condition begins with FROM",
                "write `from devices.modules where` before the condition",
            ),
            _ if self.is_statement() => known(
                "a query begins with SELECT",
                format!("write `SELECT * FROM {} WHERE …`", self.collection()),
            ),
            _ => None,
        }
    }

    const fn collection(&self) -> &'static str {
        match self.dialect {
            Dialect::IotHubModules => "devices.modules",
            Dialect::IotHubJobs => "devices.jobs",
            _ => "devices",
        }
    }

    /// A text that ends too early.
    fn end(&self) -> Option<Known> {
        if !self.rest.is_empty() {
            return None;
        }
        let last = self.last.as_str();
        match last {
            "WHERE" => known(
                "WHERE needs a condition after it",
                "leave WHERE away to select everything",
            ),
            "AND" | "OR" | "NOT" => known(
                format!("{last} needs a condition after it"),
                "leave it away, or write the condition",
            ),
            _ if self.before.ends_with(['=', '<', '>']) => known(
                "the comparison has no right side",
                "write a text in quotes, a number or a field",
            ),
            _ => None,
        }
    }

    /// Names that are not plain.
    fn name(&self) -> Option<Known> {
        let starts = |signs: &[char]| self.rest.starts_with(signs);
        if self.dialect == Dialect::Routing {
            return None;
        }
        if starts(&['`']) || starts(&['[']) && self.before.ends_with('.') {
            return known(
                "a name that is not plain stands in double brackets",
                "write `tags.[[name]]`",
            );
        }
        if starts(&['[']) && !self.lacks_operand() {
            return known(
                "brackets after a field hold the place of an element",
                "write `tags.list[0]`; a member is named after a dot: `tags.[[name]]`",
            );
        }
        if starts(&['*']) && self.before.ends_with('.') {
            return known("a path names one field", "there is no wildcard for names");
        }
        let condition = self.is_target() || self.before.to_ascii_uppercase().contains("WHERE");
        if starts(&['*']) && condition && self.lacks_operand() {
            return known(
                "`*` stands for nothing inside a condition",
                "leave it away; `STARTSWITH(field, 'prefix')` finds texts by their beginning",
            );
        }
        if self.before == "*" && self.is_target() {
            return known(
                "`*` stands alone: it is every device",
                "write only the condition",
            );
        }
        None
    }

    /// Functions are called with brackets.
    fn function(&self) -> Option<Known> {
        let call = |name: &str| {
            Function::named(name)?;
            known(
                format!("{name} is a function"),
                format!("its arguments stand in brackets: `{name}(…)`"),
            )
        };
        let word = self
            .rest
            .starts_with(|c: char| c.is_alphanumeric() || "'\"_".contains(c));
        let called = self.rest.get(self.next.len()..).unwrap_or_default();
        if word && let Some(found) = call(&self.last) {
            return Some(found);
        }
        call(&self.next).filter(|_| !called.trim_start().starts_with('('))
    }

    fn quote(&self) -> Option<Known> {
        let rest = self.rest;
        if rest.starts_with('"') && self.is_target() {
            return known(
                "double quotes cannot stand in a target condition",
                "put texts in single quotes: 'US'",
            );
        }
        if rest.starts_with(['‘', '’', '‚', '“', '”', '„']) {
            return known(
                format!("`{}` is no quote of this language", token(rest)),
                "texts stand in straight quotes: 'US'",
            );
        }
        if self.before.ends_with('\'')
            && rest.starts_with(char::is_alphabetic)
            && rest.contains('\'')
        {
            return known(
                "the text ended at the quote before this",
                "double a quote inside a text: 'it''s'",
            );
        }
        if let Some(found) = open_quote(rest) {
            return Some(found);
        }
        if rest.starts_with(['\'', '"']) && rest.contains('\\') {
            return known(
                "the text holds an escape that does not exist",
                r#"the escapes are \' \" \\ and \u with four hex digits"#,
            );
        }
        None
    }
}

const NO_EXPRESSIONS: &str =
    "there are no regular expressions: write STARTSWITH, ENDSWITH or CONTAINS";
