//! `mcp.licence.check`: what this caller has, and what is left of it.

use jiff::Timestamp;
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::gate::Gate;

/// Shows the licence in force, your tier, what it permits and what is left of your quota.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LicenceCheck {}

/// The licence and the caller's part in it.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Standing {
    /// The tier that your calls count against.
    tier: String,
    /// The instance licence's tier, the ceiling over every caller.
    licence_tier: String,
    /// First 16 hex digits of the licence file's SHA-256, or null without a licence.
    key_id: Option<String>,
    /// Whom the licence names.
    user_identifier: String,
    /// Whether the licence grants what it says: not expired, readable, of a known tier, signed where asked.
    is_valid: bool,
    /// Why it does not, or null.
    warning: Option<String>,
    /// When the licence ends, ISO-8601, or null.
    expires_at: Option<Timestamp>,
    /// What your tier allows: method names, `prefix.*`, or `*`.
    effective_permissions: Vec<String>,
    /// What is left.
    quotas: Quotas,
    /// How to read the quotas.
    note: String,
}

/// Limits and what is left of them.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quotas {
    /// Such as `100/60min`, or `unlimited`.
    api_requests_limit: String,
    /// Calls that would be admitted at once now, or `unlimited`.
    api_requests_remaining_in_window: Value,
    /// Whether models may be used.
    llm_access: bool,
    /// Which ones: a list of aliases, or `*`.
    allowed_llm_models: Value,
    /// Tokens per model call, or `unlimited`.
    max_llm_tokens_per_request: Value,
    /// Tokens per day, or `unlimited`.
    max_llm_tokens_per_day: Value,
    /// Tokens left today, or `N/A` where none are counted.
    llm_tokens_today_remaining: Value,
}

impl Method for LicenceCheck {
    const NAME: &'static str = "mcp.licence.check";
    const TIER: Tier = Tier::Free;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;
    const BILLED: bool = false;

    type Reply = Standing;
    type Service = Gate;

    async fn call(self, context: &Context, gate: &Gate) -> Result<Standing, Error> {
        let now = Timestamp::now();
        let caller = &context.caller;
        let policy = gate.0.policy.load();
        let ceiling = policy.ceiling(now).to_owned();
        let tier = policy.tier(&caller.tier);
        let permissions = caller.allow.as_ref().unwrap_or(&tier.allowed_capabilities);
        let limit = tier.rate_limit_requests;
        let left = gate.0.rates.load().remaining(&caller.tier, &caller.name, now);
        Ok(Standing {
            tier: caller.tier.clone(),
            licence_tier: ceiling,
            key_id: policy.licence.key_id.clone(),
            user_identifier: policy.licence.user.clone(),
            is_valid: policy.licence.warning.is_none() && !policy.licence.expired_at(now),
            warning: policy.warning(now),
            expires_at: policy.licence.expires,
            effective_permissions: permissions.iter().map(ToString::to_string).collect(),
            quotas: Quotas {
                api_requests_limit: match limit {
                    0 => "unlimited".into(),
                    n => format!("{n}/{}min", tier.rate_limit_window_seconds.div_ceil(60)),
                },
                api_requests_remaining_in_window: left.map_or_else(|| json!("unlimited"), Value::from),
                llm_access: tier.llm_access,
                allowed_llm_models: json!(tier.allowed_llm_models),
                max_llm_tokens_per_request: unlimited_or(tier.max_llm_tokens_per_request),
                max_llm_tokens_per_day: unlimited_or(tier.max_llm_tokens_per_day),
                llm_tokens_today_remaining: json!("N/A"),
            },
            note: format!("Remaining quotas are those of caller '{}'.", caller.name),
        })
    }
}

fn unlimited_or(n: u64) -> Value {
    if n == 0 { json!("unlimited") } else { n.into() }
}
