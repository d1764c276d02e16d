//! Texts that are numbers and begin in a given way: which numbers can they be?
//!
//! Under the profiles that take number literals for numbers ([`crate::value::numeral`]) a text has an order as text and
//! a value as a number, and the two know little of each other: after `"1.9"` comes `"1.9e300"`. [`completion`] says whether a
//! beginning can go on to a number of an interval. It is exact: what begins with the digits D has the values
//! `[D, D+1) × 10^j` for every j, so it is enough to look at the blocks nearest to the interval's ends.

use crate::value::{number_text, numeral};

/// Numbers that no constant tells apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Interval {
    /// One number.
    Point(f64),
    /// All between two numbers; infinite where there is none.
    Open(f64, f64),
}

impl Interval {
    /// The classes that these constants make.
    pub(super) fn classes(constants: &[f64]) -> Vec<Self> {
        let mut sorted: Vec<f64> = constants
            .iter()
            .copied()
            .filter(|n| n.is_finite())
            .collect();
        sorted.sort_by(f64::total_cmp);
        sorted.dedup_by(|a, b| a == b);
        let mut out = Vec::new();
        let mut low = f64::NEG_INFINITY;
        for number in sorted {
            out.push(Self::Open(low, number));
            out.push(Self::Point(number));
            low = number;
        }
        out.push(Self::Open(low, f64::INFINITY));
        out.retain(|class| class.ends().0 <= class.ends().1);
        out
    }

    pub(super) fn contains(self, number: f64) -> bool {
        let (low, high) = self.ends();
        low <= number && number <= high
    }

    /// The least and the greatest finite number of it.
    pub(super) fn ends(self) -> (f64, f64) {
        match self {
            Self::Point(number) => (number, number),
            Self::Open(low, high) => (
                low.max(f64::MIN).max(low.next_up()),
                high.min(f64::MAX).min(high.next_down()),
            ),
        }
    }

    fn mirrored(self) -> Self {
        match self {
            Self::Point(number) => Self::Point(-number),
            Self::Open(low, high) => Self::Open(-high, -low),
        }
    }

    /// A few of its numbers: its ends, a simple one between them.
    pub(super) fn some(self) -> Vec<f64> {
        let (low, high) = self.ends();
        let simple = [
            0.0,
            low.ceil(),
            (low + 1.0).ceil(),
            high.floor(),
            (high - 1.0).floor(),
            low / 2.0 + high / 2.0,
            low,
            high,
        ];
        simple
            .into_iter()
            .filter(|n| n.is_finite() && self.contains(*n))
            .collect()
    }
}

/// How far a literal has come.
enum Form<'a> {
    /// Nothing or a sign.
    Start,
    /// Digits, and how many of them stand after a point, if there is one.
    Mantissa {
        digits: String,
        point: Option<usize>,
    },
    /// The mantissa is over.
    Exponent {
        mantissa: &'a str,
        signed: bool,
        digits: &'a str,
    },
}

fn form(text: &str) -> Option<(bool, Form<'_>)> {
    let body = text.strip_prefix('-').unwrap_or(text);
    let negative = body.len() < text.len();
    if body.is_empty() {
        return Some((negative, Form::Start));
    }
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (body, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    if !fraction.is_none_or(digits) {
        return None;
    }
    let Some(exponent) = exponent else {
        let digits = format!("{whole}{}", fraction.unwrap_or_default());
        let point = fraction.map(str::len);
        return Some((negative, Form::Mantissa { digits, point }));
    };
    if fraction.is_some_and(str::is_empty) {
        return None;
    }
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let signed = unsigned.len() < exponent.len();
    digits(unsigned).then_some((
        negative,
        Form::Exponent {
            mantissa,
            signed,
            digits: unsigned,
        },
    ))
}

/// Whether some number literal begins like this.
pub(super) fn is_viable(text: &str) -> bool {
    form(text).is_some()
}

/// A text that begins so, is the literal of a number of the interval and is not taken; none if there is none.
pub(super) fn completion(
    beginning: &str,
    class: Interval,
    taken: impl Fn(&str) -> bool,
) -> Option<String> {
    let (negative, form) = form(beginning)?;
    let fits = |text: &String| numeral(text).is_some_and(|number| class.contains(number));
    // Magnitudes, where the sign is fixed.
    let class_of = if negative { class.mirrored() } else { class };
    let found = match form {
        Form::Start => starting(beginning, class),
        Form::Mantissa { digits, point } => mantissa(beginning, &digits, point, class_of),
        Form::Exponent {
            mantissa,
            signed,
            digits,
        } => exponent(beginning, mantissa, signed, digits, class_of),
    };
    found.filter(fits).find_map(|text| {
        if taken(&text) {
            padded(beginning, &text).find(|text| fits(text) && !taken(text))
        } else {
            Some(text)
        }
    })
}

/// How often a literal is written anew to get round texts that are taken.
const SPELLINGS: usize = 4096;

/// The same number with more and more zeros, where they change nothing, after the beginning: behind the point, before
/// the digits of the exponent, or behind an exponent that makes zero anyway.
fn padded(beginning: &str, text: &str) -> impl Iterator<Item = String> {
    let end = text.find(['e', 'E']).unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at_checked(end).unwrap_or((text, ""));
    let digits = exponent.trim_start_matches(['e', 'E', '+', '-']);
    let (place, point) = if beginning.len() <= end {
        (end, if mantissa.contains('.') { "" } else { "." })
    } else if text
        .get(..beginning.len())
        .is_some_and(|read| read.trim_end_matches('0').ends_with(['e', 'E', '+', '-']))
    {
        (beginning.len().max(text.len() - digits.len()), "")
    } else {
        (text.len(), "")
    };
    let (head, tail) = text.split_at_checked(place).unwrap_or((text, ""));
    let (head, tail) = (head.to_owned(), tail.to_owned());
    (1..SPELLINGS).map(move |count| format!("{head}{point}{}{tail}", "0".repeat(count)))
}

type Texts<'a> = Box<dyn Iterator<Item = String> + 'a>;

fn starting(beginning: &str, class: Interval) -> Texts<'_> {
    let some = class.some().into_iter();
    Box::new(some.flat_map(move |number| {
        let unsigned = if beginning.is_empty() {
            number
        } else {
            number.abs()
        };
        [
            format!("{beginning}{}", number_text(unsigned)),
            format!("{beginning}{unsigned:e}"),
        ]
    }))
}

fn mantissa<'a>(
    beginning: &'a str,
    digits: &str,
    point: Option<usize>,
    class: Interval,
) -> Texts<'a> {
    let known = digits.trim_start_matches('0').to_owned();
    let scale = i64::try_from(point.unwrap_or(0)).unwrap_or(0);
    let build = move |more: &str, exponent: i64| match (point, more) {
        (None, "") => format!("{beginning}e{exponent}"),
        (None, more) => format!("{beginning}.{more}e{exponent}"),
        (Some(0), "") => format!("{beginning}0e{}", exponent + scale),
        (Some(_), more) => format!("{beginning}{more}e{}", exponent + scale),
    };
    let (low, high) = (class.ends().0.max(0.0), class.ends().1);
    let mut out = vec![beginning.to_owned(), build("", -9999)];
    let length = i64::try_from(known.len()).unwrap_or(0);
    if known.is_empty() {
        // 0.digits × 10^j is every number from 0 on.
        for number in class.some().into_iter().filter(|number| *number > 0.0) {
            let (significant, decade) = scientific(number, None);
            out.push(build(&significant, decade + 1));
        }
        return Box::new(out.into_iter());
    }
    for end in [low, high] {
        let decade = if end > 0.0 {
            scientific(end, None).1
        } else {
            -330
        };
        for exponent in (decade - length - 1)..=(decade - length + 3) {
            let value = |more: &str| {
                format!(
                    "{known}{more}e{}",
                    exponent - i64::try_from(more.len()).unwrap_or(0)
                )
                .parse::<f64>()
            };
            let nines = "9".repeat(20);
            let (Ok(least), Ok(most)) = (value(""), value(&nines)) else {
                continue;
            };
            out.push(build("", exponent));
            for number in [least.next_up().max(low), most.next_down().min(high)] {
                for precision in [None, Some(800)] {
                    let (significant, _) = scientific(number, precision);
                    if let Some(more) = significant.strip_prefix(&*known) {
                        out.push(build(more, exponent));
                    }
                }
            }
            out.push(build(&nines, exponent));
            out.push(build(&"9".repeat(800), exponent));
        }
    }
    Box::new(out.into_iter())
}

/// Numbers of the interval whose digits begin as a text does: the first of each order of magnitude at its ends and of those
/// that are written without an exponent.
pub(super) fn spellings(beginning: &str, class: Interval) -> impl Iterator<Item = f64> {
    let known = form(beginning).and_then(|(negative, form)| match form {
        Form::Mantissa { digits, .. } => {
            Some((negative, digits.trim_start_matches('0').to_owned()))
        }
        _ => None,
    });
    let (negative, digits) = known.unwrap_or_default();
    let class = if negative { class.mirrored() } else { class };
    let (low, high) = (class.ends().0.max(0.0), class.ends().1);
    let length = i64::try_from(digits.len()).unwrap_or(0);
    let near = [low, high]
        .into_iter()
        .filter(|end| *end > 0.0)
        .flat_map(move |end| {
            let decade = scientific(end, None).1 - length;
            (decade - 1)..=(decade + 3)
        });
    let exponents = near.chain(-20..=20).chain([-300, -40, 40, 290]);
    let digits = if digits.is_empty() {
        "1".to_owned()
    } else {
        digits
    };
    exponents
        .flat_map(move |exponent| {
            let least: f64 = format!("{digits}e{exponent}").parse().unwrap_or(f64::NAN);
            let inside: f64 = format!("{digits}5e{}", exponent - 1)
                .parse()
                .unwrap_or(f64::NAN);
            [least, least.max(low), inside, least.next_up()]
        })
        .filter(move |number| class.contains(*number))
        .map(move |number| if negative { -number } else { number })
}

/// The significant digits of a positive number and the power of ten of the first one.
fn scientific(number: f64, precision: Option<usize>) -> (String, i64) {
    let text = match precision {
        None => format!("{number:e}"),
        Some(precision) => format!("{number:.precision$e}"),
    };
    let (digits, decade) = text.split_once('e').unwrap_or((&text, "0"));
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let kept = digits.trim_end_matches('0');
    (
        if kept.is_empty() { "0" } else { kept }.to_owned(),
        decade.parse().unwrap_or(0),
    )
}

fn exponent<'a>(
    beginning: &'a str,
    mantissa: &str,
    signed: bool,
    digits: &'a str,
    class: Interval,
) -> Texts<'a> {
    let one: f64 = mantissa.parse().unwrap_or(0.0);
    let (low, high) = (class.ends().0.max(0.0), class.ends().1);
    let mut out = vec![beginning.to_owned()];
    if digits.is_empty() {
        let own = if one > 0.0 {
            scientific(one, None).1
        } else {
            0
        };
        let near = [low, high]
            .into_iter()
            .filter(|end| *end > 0.0)
            .flat_map(|end| {
                let decade = scientific(end, None).1 - own;
                (decade - 2)..=(decade + 2)
            });
        for power in near.chain([0, -9999]) {
            out.push(if signed {
                format!("{beginning}{}", power.abs())
            } else {
                format!("{beginning}{power}")
            });
        }
        return Box::new(out.into_iter());
    }
    let more =
        (1..=4_u32).flat_map(move |length| (0..10_u32.pow(length)).map(move |tail| (length, tail)));
    Box::new(out.into_iter().chain(
        more.map(move |(length, tail)| {
            format!("{beginning}{tail:0width$}", width = length as usize)
        }),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_beginning_can_become() {
        for (beginning, class, possible) in [
            ("", Interval::Point(75.0), true),
            ("7", Interval::Point(75.0), true),
            ("8", Interval::Point(75.0), false),
            ("8", Interval::Open(75.0, 80.0), false),
            ("8", Interval::Open(75.0, 81.0), true),
            ("1.9", Interval::Open(5.0, 10.0), false),
            ("1.9", Interval::Open(5.0, 100.0), true),
            ("1.9", Interval::Point(0.0), true),
            ("1.9", Interval::Open(f64::NEG_INFINITY, 0.0), false),
            ("-", Interval::Open(f64::NEG_INFINITY, 0.0), true),
            ("-3", Interval::Point(-300.0), true),
            ("0", Interval::Point(12.5), true),
            ("0.0", Interval::Point(12.5), true),
            ("5e", Interval::Point(500.0), true),
            ("5e3", Interval::Point(500.0), false),
            ("5e-", Interval::Point(0.5), true),
            ("5e0", Interval::Point(500.0), true),
            ("2", Interval::Open(1.0, 1.0_f64.next_up().next_up()), false),
            (
                "1.00",
                Interval::Open(1.0, 1.0_f64.next_up().next_up()),
                true,
            ),
            (
                "75",
                Interval::Open(9_007_199_254_740_992.0, f64::INFINITY),
                true,
            ),
        ] {
            let found = completion(beginning, class, |_| false);
            assert_eq!(found.is_some(), possible, "{beginning} {class:?} {found:?}");
        }
        assert!(!is_viable("01") && !is_viable("x") && !is_viable("1.e") && !is_viable("+1"));
    }

    proptest! {
        /// What a literal shows: its own beginning can become its value.
        #[test]
        fn no_completion_is_overlooked(text in "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,4})?([eE][+-]?[0-9]{1,3})?", cut in 0_usize..12, spread in prop_oneof![Just(0.0), Just(1e-9), Just(0.5)]) {
            let Some(value) = numeral(&text) else { return Ok(()) };
            let beginning = text.get(..cut.min(text.len())).unwrap();
            let class = if spread == 0.0 { Interval::Point(value) } else { Interval::Open(value - value.abs() * spread - f64::MIN_POSITIVE, value + value.abs() * spread + f64::MIN_POSITIVE) };
            let found = completion(beginning, class, |_| false);
            prop_assert!(found.is_some(), "{} {:?}", beginning, class);
            let found = found.unwrap();
            prop_assert!(found.starts_with(beginning) && class.contains(numeral(&found).unwrap()));
            // Where what was found is taken, and the literal that shows the class is not, there is another.
            if found != text {
                let others = completion(beginning, class, |other| other == found);
                prop_assert!(others.is_some(), "{} {:?} without {}", beginning, class, found);
                let other = others.unwrap();
                prop_assert!(other != found && other.starts_with(beginning) && class.contains(numeral(&other).unwrap()));
            }
        }
    }
}
