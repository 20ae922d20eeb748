//! Secrets taken out of what is kept or shown.

use serde_json::Value;

/// What stands in a secret's place.
const MASK: &str = "***";

/// Shorter ones are in every text by chance, and to take them out would say what they are.
const LENGTH_MIN: usize = 4;

/// The secrets of a run, and texts without them.
#[derive(Clone, Default)]
pub struct Masks(Vec<String>);

impl Masks {
    /// Those of these values that can be told from other text: as they are, and as they look in base64's place, in a
    /// URL or as JSON.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Vec::new();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= LENGTH_MIN) {
            all.push(secret.to_owned());
            let json = serde_json::to_string(secret).unwrap_or_default();
            all.push(json.trim_matches('"').to_owned());
            let in_url = secret.bytes().fold(String::new(), |text, byte| match byte {
                b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => text + &char::from(b).to_string(),
                b => text + &format!("%{b:02X}"),
            });
            all.push(in_url);
            all.extend(secret.lines().filter(|line| line.len() >= 2 * LENGTH_MIN).map(str::to_owned));
        }
        // The longest first: of two the one in the other must not leave the rest of it behind.
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        all.dedup();
        Self(all)
    }

    /// The text without them.
    pub fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), MASK) } else { text }
        })
    }

    /// The value without them.
    #[must_use]
    pub fn value(&self, value: Value) -> Value {
        if self.0.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => {
                map.into_iter().map(|(key, value)| (self.text(&key), self.value(value))).collect()
            }
            other => other,
        }
    }
}

/// Not even how many there are.
impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_taken_out_wherever_they_stand() {
        let masks = Masks::of(["hunter2", "hunter2 and more", "a b/c\"d", "ab"]);
        let found = masks.value(json!({
            "x": ["hunter2 and more!", "hunter2", "ab"], "say hunter2": "?q=a%20b%2Fc%22d", "j": "{\"k\":\"a b/c\\\"d\"}"
        }));
        assert_eq!(found, json!({ "x": ["***!", "***", "ab"], "say ***": "?q=***", "j": "{\"k\":\"***\"}" }));
    }
}
