//! Amounts of money, exact in hundredths.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Number;

/// Hundredths of the account currency's main unit: `Cents(4990)` is 49.90.
///
/// TikTok sends and takes amounts as JSON numbers in the main unit. Currencies without decimals are hundredths here
/// as well, so `Cents(200_000)` is 2,000 yen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cents(pub i64);

/// A text that is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an amount: write decimal text such as \"50\" or \"49.90\", with at most two decimals")]
pub struct CentsError;

impl Cents {
    /// The JSON number TikTok takes: `50`, `49.9`.
    pub fn to_number(self) -> Number {
        if self.0 % 100 == 0 {
            return Number::from(self.0 / 100);
        }
        // The shortest decimal text of the nearest double is the amount again, up to 2^53 hundredths.
        self.to_string()
            .parse::<f64>()
            .ok()
            .and_then(Number::from_f64)
            .unwrap_or_else(|| Number::from(self.0 / 100))
    }

    /// Exact: `None` when the number has more than two decimals or does not fit.
    pub fn from_number(number: &Number) -> Option<Cents> {
        number.to_string().parse().ok().or_else(|| {
            // 50.0 and 1e3 are whole numbers written as doubles.
            let value = number.as_f64()?;
            let hundredths = value * 100.0;
            (hundredths.fract() == 0.0 && hundredths.abs() <= MAX_EXACT)
                .then_some(Cents(hundredths as i64))
        })
    }

    /// What a reply says: like [`Cents::from_number`], but noise of floating point is dropped, and an amount that is
    /// finer than a hundredth is rounded away from zero, so that no ceiling is checked against too little.
    pub fn from_reply(number: &Number) -> Option<Cents> {
        if let Some(exact) = Cents::from_number(number) {
            return Some(exact);
        }
        let hundredths = number.as_f64()? * 100.0;
        if hundredths.abs() > MAX_EXACT {
            return None;
        }
        let nearest = hundredths.round();
        if (hundredths - nearest).abs() < 1e-4 {
            return Some(Cents(nearest as i64));
        }
        Some(Cents(if hundredths < 0.0 {
            hundredths.floor()
        } else {
            hundredths.ceil()
        } as i64))
    }
}

/// Doubles hold every whole number up to here.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        if rest == 0 {
            write!(f, "{sign}{whole}")
        } else {
            write!(f, "{sign}{whole}.{rest:02}")
        }
    }
}

impl FromStr for Cents {
    type Err = CentsError;

    /// Decimal text with at most two decimals that are not zero: `50`, `50.00`, `49.9`, `50.0`, `-3`.
    fn from_str(text: &str) -> Result<Cents, CentsError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(CentsError);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > 2 {
            return Err(CentsError);
        }
        let whole: i64 = whole.parse().map_err(|_| CentsError)?;
        let fraction: i64 = format!("{fraction:0<2}").parse().map_err(|_| CentsError)?;
        let amount = whole
            .checked_mul(100)
            .and_then(|cents| cents.checked_add(fraction))
            .ok_or(CentsError)?;
        Ok(Cents(if negative { -amount } else { amount }))
    }
}

impl Serialize for Cents {
    /// As the JSON number TikTok takes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_number().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Cents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cents, D::Error> {
        let number = Number::deserialize(deserializer)?;
        Cents::from_number(&number).ok_or_else(|| serde::de::Error::custom(CentsError))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_shown_minimal() {
        for (cents, text) in [
            (4990, "49.90"),
            (5000, "50"),
            (5, "0.05"),
            (0, "0"),
            (-5, "-0.05"),
            (-12345, "-123.45"),
            (4901, "49.01"),
        ] {
            assert_eq!(Cents(cents).to_string(), text);
            assert_eq!(text.parse(), Ok(Cents(cents)));
        }
    }

    #[test]
    fn only_plain_decimal_text_is_an_amount() {
        assert_eq!("50.00".parse(), Ok(Cents(5000)));
        assert_eq!("49.9".parse(), Ok(Cents(4990)));
        assert_eq!("1.100".parse(), Ok(Cents(110)));
        for bad in [
            "",
            "-",
            ".",
            ".5",
            "5.",
            "1e3",
            "+5",
            "1,000",
            "5 ",
            "٣",
            "0.001",
            "99999999999999999999",
            "--1",
        ] {
            assert_eq!(bad.parse::<Cents>(), Err(CentsError), "{bad:?}");
        }
    }

    #[test]
    fn the_number_on_the_wire_is_the_amount() {
        for (cents, wire) in [
            (5000, "50"),
            (4990, "49.9"),
            (3333, "33.33"),
            (1, "0.01"),
            (9_999_999_999_999, "99999999999.99"),
        ] {
            assert_eq!(
                serde_json::to_string(&Cents(cents)).ok().as_deref(),
                Some(wire)
            );
        }
        for (wire, cents) in [
            ("50.0", 5000),
            ("1e3", 100_000),
            ("2000", 200_000),
            ("0.0", 0),
        ] {
            assert_eq!(
                serde_json::from_str::<Cents>(wire).ok(),
                Some(Cents(cents)),
                "{wire}"
            );
        }
        for refused in ["33.335", "1e300", "\"50\"", "null"] {
            assert!(serde_json::from_str::<Cents>(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_reply_never_understates() {
        let read = |text: &str| {
            serde_json::from_str::<Number>(text)
                .ok()
                .as_ref()
                .and_then(Cents::from_reply)
        };
        assert_eq!(read("59.988"), Some(Cents(5999)));
        assert_eq!(read("59.900000000000006"), Some(Cents(5990)));
        assert_eq!(read("59.89999999999999"), Some(Cents(5990)));
        assert_eq!(read("1e300"), None);
    }

    proptest! {
        #[test]
        fn every_amount_survives_text_and_wire(cents in -900_000_000_000_000i64..900_000_000_000_000) {
            let amount = Cents(cents);
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
            let wire = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(serde_json::from_str::<Cents>(&wire).unwrap(), amount);
        }
    }
}
