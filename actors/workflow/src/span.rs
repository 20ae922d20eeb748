//! How long something takes, as people write it: `2s`, `500ms`, `1h30m`, or a number of seconds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A year: what is meant to take longer is a mistake.
const SPAN_MAX: Duration = Duration::from_hours(366 * 24);

/// A length of time, to the millisecond, at most a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// It as a duration.
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// It in milliseconds.
    pub fn ms(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
    }

    fn of(duration: Duration) -> Result<Self, String> {
        if duration > SPAN_MAX {
            return Err("is longer than a year".to_owned());
        }
        Ok(Self(Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or_default())))
    }

    /// What a value says: text, or a number of seconds.
    ///
    /// # Errors
    /// What it must be.
    pub fn of_value(value: &serde_json::Value) -> Result<Self, String> {
        match value {
            serde_json::Value::Number(number) => {
                let seconds = number.as_f64().unwrap_or(-1.0);
                let whole = Duration::try_from_secs_f64(seconds).map_err(|_| must(&number.to_string()))?;
                Self::of(whole)
            }
            serde_json::Value::String(text) => text.parse(),
            other => Err(must(&other.to_string())),
        }
    }
}

fn must(text: &str) -> String {
    let text: String = text.chars().take(40).collect();
    format!("must be a time such as `500ms`, `2s`, `1h30m` or a number of seconds, not `{text}`")
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut rest = text.trim();
        if let Ok(seconds) = rest.parse::<f64>() {
            return Duration::try_from_secs_f64(seconds).map_err(|_| must(text)).and_then(Self::of);
        }
        let mut total = Duration::ZERO;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, after) = rest.split_at(digits);
            let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
            let (unit, after) = after.split_at(letters);
            let seconds = match unit {
                "ms" => 0.001,
                "s" | "sec" | "second" | "seconds" => 1.0,
                "m" | "min" | "minute" | "minutes" => 60.0,
                "h" | "hour" | "hours" => 3600.0,
                "d" | "day" | "days" => 86_400.0,
                _ => return Err(must(text)),
            };
            let number: f64 = number.parse().map_err(|_| must(text))?;
            let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| must(text))?;
            total = total.saturating_add(part);
            rest = after.trim_start();
        }
        if text.trim().is_empty() { Err(must(text)) } else { Self::of(total) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ms = self.0.as_millis();
        if ms == 0 {
            return f.write_str("0s");
        }
        for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
            if ms >= length {
                write!(f, "{}{unit}", ms / length)?;
                ms %= length;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Self::of_value(&value).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "number"],
            "pattern": r"^\s*([0-9]+(\.[0-9]+)?\s*(ms|s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)\s*)+$|^\s*[0-9]+(\.[0-9]+)?\s*$",
            "format": "span",
            "minimum": 0,
            "maximum": 31_622_400,
            "description": "A time such as `500ms`, `2s`, `1h30m`, or a number of seconds.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_write_them() {
        let check = |text: &str, ms: i64| assert_eq!(text.parse::<Span>().map(Span::ms), Ok(ms), "{text}");
        check("2s", 2000);
        check("500ms", 500);
        check("1h30m", 5_400_000);
        check("1.5h", 5_400_000);
        check("1d 2h", 93_600_000);
        check("7", 7000);
        check("0.25", 250);
        check("0s", 0);
        for bad in ["", "s", "2 fortnights", "-1", "1e300", "NaN", "inf", "400d", "2s5", "h1"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for ms in [0, 1, 999, 1000, 61_001, 93_600_000] {
            let span = Span(Duration::from_millis(ms));
            assert_eq!(span.to_string().parse(), Ok(span), "{span}");
        }
    }
}
