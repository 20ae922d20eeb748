//! Licence tiers: what each may call, how often, and which models it may use.

use std::collections::BTreeMap;

use protocol::Pattern;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::file::File;
use crate::lent::Lent;
use crate::mistake::{Mistake, shorten};
use crate::shape::{Complaint, Shape};
use crate::value::without_nulls;
use crate::yaml::Step;

/// The shipped tiers, with the reasons for their numbers.
pub const SHIPPED: &str = include_str!("../defaults/licence_tiers.yaml");

/// Every tier by name; `FREE` is always among them.
#[derive(Clone, Debug, PartialEq)]
pub struct Tiers(BTreeMap<String, Tier>);

/// One licence tier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// How many calls a caller may make within the window; 0 is as many as it likes. Without a default: leaving
    /// it out must not mean unlimited.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub rate_limit_requests: u32,
    /// How long the window is, in seconds. An hour, as in the original.
    #[serde(default = "hour")]
    #[schemars(range(min = 1, max = 31_536_000))]
    pub rate_limit_window_seconds: u32,
    /// Which methods: exact names, `prefix.*`, or `*`. Without a default: a tier is this list.
    pub allowed_capabilities: Vec<Pattern>,
    /// Which of those not after all; it wins over the allowed ones. None by default.
    #[serde(default)]
    pub denied_capabilities: Vec<Pattern>,
    /// Whether models may be used at all. Off by default: models cost money.
    #[serde(default)]
    pub llm_access: bool,
    /// Which models, by their names in `models.yaml`; `"*"` is all. None by default, for the same reason.
    #[serde(default)]
    pub allowed_llm_models: AllowedModels,
    /// Tokens that one model call may use; 0, the default, is no limit.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000_000_000_u64))]
    pub max_llm_tokens_per_request: u64,
    /// Tokens that a caller may use in a day; 0, the default, is no limit.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000_000_000_u64))]
    pub max_llm_tokens_per_day: u64,
    /// Money that a caller may spend in a day, in the unit of the prices in `models.yaml`; 0, the default, is no limit.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub max_llm_cost_per_day: f64,
}

/// Which models a tier may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedModels {
    /// `"*"`.
    Any,
    /// These.
    Only(Vec<String>),
}

const fn hour() -> u32 {
    3600
}

// === impl Tiers ===

/// What one tier must look like.
pub(crate) static SHAPE: Lent<Shape> = Lent::new(Shape::of::<Tier>);

impl Default for Tiers {
    /// The shipped tiers.
    fn default() -> Self {
        let mut file = File::from_text(SHIPPED, "licence_tiers.yaml".to_owned());
        let mut tiers = Self(BTreeMap::new());
        let mistakes = tiers.take(&mut file);
        assert!(mistakes.is_empty(), "a test loads the shipped tiers: {mistakes:?}");
        tiers
    }
}

impl Tiers {
    /// Takes over what `file` says: each tier whole, the others as they were. Returns what is wrong with it.
    pub(crate) fn take(&mut self, file: &mut File) -> Vec<Mistake> {
        let _held = SHAPE.get();
        let mut mistakes = file.problems();
        let (above, tiers) = match file.value.take() {
            None | Some(Value::Null) => return mistakes,
            // The original had two readers of this file that wanted two layouts.
            Some(Value::Object(mut map)) if map.contains_key("tiers") => {
                let tiers = map.shift_remove("tiers").unwrap_or_default();
                for key in map.keys() {
                    let message = "stands beside `tiers`; move it below, with the other tiers".to_owned();
                    let complaint = Complaint { path: vec![Step::Key(key.clone())], message };
                    mistakes.push(file.mistake(complaint));
                }
                (Some(Step::Key("tiers".to_owned())), tiers)
            }
            Some(map) => (None, map),
        };
        let Value::Object(tiers) = tiers else {
            let path = above.into_iter().collect();
            let message = "must be a mapping of tier names, such as `FREE:`, to their limits".to_owned();
            mistakes.push(file.mistake(Complaint { path, message }));
            return mistakes;
        };
        for (name, value) in tiers {
            let path: Vec<Step> = above.iter().cloned().chain([Step::Key(name.clone())]).collect();
            match tier(&name, value) {
                Ok(tier) => drop(self.0.insert(name, tier)),
                Err(complaints) => mistakes.extend(complaints.into_iter().map(|complaint| {
                    let path = path.iter().cloned().chain(complaint.path).collect();
                    file.mistake(Complaint { path, message: complaint.message })
                })),
            }
        }
        mistakes
    }

    /// What is allowed and probably not meant.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        self.iter()
            .filter(|(_, tier)| tier.llm_access && tier.allowed_llm_models == AllowedModels::Only(Vec::new()))
            .map(|(name, _)| {
                format!("tier {name} has llm_access but allowed_llm_models is empty: no model fits")
            })
    }

    /// The tier of that name (names are upper case).
    pub fn get(&self, name: &str) -> Option<&Tier> {
        self.0.get(name)
    }

    /// What everybody has without a licence.
    pub fn free(&self) -> &Tier {
        self.0.get("FREE").expect("FREE is in the shipped file and a file can replace it, not remove it")
    }

    /// Every tier with its name, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tier)> {
        self.0.iter().map(|(name, tier)| (name.as_str(), tier))
    }
}

/// One tier of a file, or everything that is wrong with it.
fn tier(name: &str, value: Value) -> Result<Tier, Vec<Complaint>> {
    let complaint = |message| Complaint { path: Vec::new(), message };
    let value = without_nulls(value);
    let mut complaints = SHAPE.get().complaints(&value);
    if !is_name(name) {
        let upper = name.to_uppercase();
        complaints.push(complaint(if is_name(&upper) {
            format!("tier names are in capitals; write `{upper}`")
        } else {
            format!("`{}` cannot be a tier: names are capitals, digits, `_` and `-`", shorten(name))
        }));
    }
    if !complaints.is_empty() {
        return Err(complaints);
    }
    serde_json::from_value(value).map_err(|error| vec![complaint(error.to_string())])
}

/// Licences name a tier in capitals, or are read as if they did.
fn is_name(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

// === impl Tier ===

impl Tier {
    /// Whether the tier includes `method`.
    pub fn covers(&self, method: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.covers(method));
        any(&self.allowed_capabilities) && !any(&self.denied_capabilities)
    }

    /// Whether the tier may use `model`.
    pub fn covers_model(&self, model: &str) -> bool {
        self.llm_access
            && match &self.allowed_llm_models {
                AllowedModels::Any => true,
                AllowedModels::Only(names) => names.iter().any(|name| name == model),
            }
    }
}

// === impl AllowedModels ===

impl Default for AllowedModels {
    fn default() -> Self {
        Self::Only(Vec::new())
    }
}

impl Serialize for AllowedModels {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str("*"),
            Self::Only(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for AllowedModels {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(String),
            Many(Vec<String>),
        }
        // The original's files have `"*"`, `["*"]` and lists of names.
        match Written::deserialize(deserializer)? {
            Written::One(star) if star == "*" => Ok(Self::Any),
            Written::One(name) => Ok(Self::Only(vec![name])),
            Written::Many(names) if names.iter().any(|name| name == "*") => Ok(Self::Any),
            Written::Many(names) => Ok(Self::Only(names)),
        }
    }
}

impl JsonSchema for AllowedModels {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AllowedModels".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["array", "string"], "items": { "type": "string" } })
    }
}
