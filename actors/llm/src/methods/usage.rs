//! `mcp.llm.usage`.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::quota::{Row, billionths, ends};
use crate::service::Llm;

/// Says what you have used models for, and what is left of today's limits.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Usage {
    /// How many days, today included.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 366))]
    days: u32,
}

fn one() -> u32 {
    1
}

/// What was used.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Used {
    /// Under which name it is counted.
    caller: String,
    /// Today, of your own limits.
    today: Limit,
    /// Today, of the limits of all callers together.
    instance: Limit,
    /// Tokens that one call may come to; 0 is no limit.
    tokens_per_request: u64,
    /// When today's counts begin anew (RFC 3339).
    resets_at: String,
    /// By day, newest first, and model.
    usage: Vec<Entry>,
}

/// One limit and what is left of it. Calls under way count with what they have reserved.
#[derive(Serialize, JsonSchema)]
struct Limit {
    /// Tokens used and reserved.
    tokens: u64,
    /// Tokens that may be used; 0 is no limit.
    tokens_limit: u64,
    /// Money spent and reserved, in the unit of the prices in models.yaml.
    cost: f64,
    /// Money that may be spent; 0 is no limit.
    cost_limit: f64,
}

/// What one model was used for on one day.
#[derive(Serialize, JsonSchema)]
struct Entry {
    /// The day, in UTC.
    day: String,
    /// The alias that answered.
    model: String,
    /// How many calls it answered.
    calls: u64,
    /// Tokens that were read.
    prompt_tokens: u64,
    /// Tokens that were written.
    completion_tokens: u64,
    /// Of both, what was counted here because the provider did not say it.
    estimated_tokens: u64,
    /// In the unit of the prices in models.yaml.
    cost: f64,
}

impl Method for Usage {
    const NAME: &'static str = "mcp.llm.usage";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;

    type Reply = Used;
    type Service = Llm;

    async fn call(self, context: &Context, llm: &Llm) -> Result<Used, Error> {
        let caller = &context.caller;
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let since = today.checked_sub(i64::from(self.days.saturating_sub(1)).days()).unwrap_or(today);
        let rows = llm.ledger().rows(since, Some(&caller.name)).map_err(Error::internal)?;
        let [own, all] = llm.ledger().today(&caller.name).map_err(Error::internal)?;
        let limits = llm.limits(&caller.tier);
        let limit = |(tokens, cost), tokens_limit, cost_limit| Limit {
            tokens,
            tokens_limit,
            cost: billionths(cost),
            cost_limit: billionths(cost_limit),
        };
        Ok(Used {
            caller: caller.name.clone(),
            today: limit(own, limits.caller, limits.caller_cost),
            instance: limit(all, limits.instance, limits.instance_cost),
            tokens_per_request: limits.call,
            resets_at: format!("{:.0}", ends(today)),
            usage: rows.into_iter().map(Entry::of).collect(),
        })
    }
}

impl Entry {
    fn of(row: Row) -> Self {
        Self {
            day: row.day,
            model: row.model,
            calls: row.calls,
            prompt_tokens: row.prompt,
            completion_tokens: row.completion,
            estimated_tokens: row.estimated,
            cost: billionths(row.cost),
        }
    }
}
