//! What models may still be used for, and what they were used for: tokens and money, by day, caller and model.
//!
//! A call reserves what it may use before anything is sent, and settles what it did use when it ends. Both are
//! committed before anybody relies on them, in the one writer's transactions, so neither a race nor a second process nor
//! a crash lets a limit be passed. What a process that died had reserved stays reserved: it may have been used.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use protocol::{Code, Error, Note};
use serde_json::json;
use store::rusqlite::{self, Connection, OptionalExtension as _, params};
use store::{Outlasts, Store, StoreError};
use tokio::sync::oneshot;

/// Limits of one call; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Tokens of one call.
    pub(crate) call: u64,
    /// Tokens of one caller in a day.
    pub(crate) caller: u64,
    /// Money of one caller in a day, in billionths.
    pub(crate) caller_cost: u64,
    /// Tokens of all callers in a day.
    pub(crate) instance: u64,
    /// Money of all callers in a day, in billionths.
    pub(crate) instance_cost: u64,
}

/// Prices in billionths per token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Price {
    pub(crate) prompt: u64,
    pub(crate) completion: u64,
}

impl Price {
    /// What that costs, in billionths.
    pub(crate) fn of(self, spent: Spent) -> u64 {
        spent.prompt * self.prompt + spent.completion * self.completion
    }
}

/// What a call may come to.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    pub(crate) caller: String,
    pub(crate) model: String,
    /// Tokens that will be read.
    pub(crate) prompt: u64,
    /// Tokens that may be written.
    pub(crate) completion: u64,
    /// Whether fewer will do: the caller did not say how many.
    pub(crate) flexible: bool,
    /// The dearest that may answer.
    pub(crate) price: Price,
}

/// What a call came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) prompt: u64,
    pub(crate) completion: u64,
    /// Of both, what we counted because the provider did not.
    pub(crate) estimated: u64,
}

/// What was reserved for a call, until it is settled.
#[derive(Debug)]
pub(crate) struct Reservation {
    id: i64,
    day: Date,
    caller: String,
    /// Tokens that may be written.
    pub(crate) completion: u64,
    /// What is left of the narrowest limit, for those who want to know; none without a limit.
    pub(crate) left: Option<Note>,
}

/// A call that may not be made.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// What the caller is told.
    pub(crate) error: Error,
    /// As of a reservation.
    pub(crate) left: Option<Note>,
}

/// Why a call may not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refused {
    which: Which,
    limit: u64,
    used: u64,
    reserved: u64,
    wanted: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Call,
    Caller,
    CallerCost,
    Instance,
    InstanceCost,
}

/// What is used and reserved, of tokens and money.
#[derive(Clone, Copy, Default)]
struct Sum {
    used: u64,
    used_cost: u64,
    reserved: u64,
    reserved_cost: u64,
}

/// Used by somebody, with one model, on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) day: String,
    pub(crate) caller: String,
    pub(crate) model: String,
    pub(crate) calls: u64,
    pub(crate) prompt: u64,
    pub(crate) completion: u64,
    pub(crate) estimated: u64,
    pub(crate) cost: u64,
}

/// Two waits for the disk would be most of what a quick chat takes. After a power cut the counters may lack the calls of
/// the last seconds: what the gateway writes next takes them to the disk.
const KEPT: Outlasts = Outlasts::Crash;

/// The only way to the counters.
#[derive(Clone)]
pub(crate) struct Ledger {
    store: Store,
}

impl Ledger {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Reserves what `demand` may come to; a flexible one gets what is left.
    ///
    /// # Errors
    /// -32003 with what is left and when it is whole again.
    pub(crate) async fn reserve(&self, demand: Demand, limits: Limits) -> Result<Reservation, Refusal> {
        let now = Timestamp::now();
        let day = now.to_zoned(TimeZone::UTC).date();
        let (tell, told) = oneshot::channel();
        let ledger = self.clone();
        let change = move |db: &Connection| reserve(db, &demand, limits, day, now);
        let submitted = self.store.submit(KEPT, change, move |outcome| {
            // Who asked may be gone by now.
            if let Err(Ok(Ok(reservation))) = tell.send(outcome) {
                ledger.settle_later(reservation, String::new(), Spent::default(), Price::default());
            }
        });
        submitted.map_err(unusable)?;
        let outcome = told.await.map_err(|_| unusable(StoreError::Closed))?;
        outcome.map_err(unusable)?.map_err(|(refused, left)| Refusal { error: refused.error(now, day), left })
    }

    /// Puts what was used in the place of what was reserved; resolves when that is committed.
    pub(crate) async fn settle(
        &self,
        reservation: Reservation,
        model: String,
        spent: Spent,
        price: Price,
    ) -> Result<(), Error> {
        let change = move |db: &Connection| settle(db, &reservation, &model, spent, price);
        self.store.write_to(KEPT, change).await.map_err(unusable)
    }

    /// The same for a call that nobody waits for any more. It is written in its turn.
    pub(crate) fn settle_later(&self, reservation: Reservation, model: String, spent: Spent, price: Price) {
        let lost = |error: &StoreError| {
            tracing::error!(%error, "what a call used cannot be written: what it reserved stays reserved");
        };
        let change = move |db: &Connection| settle(db, &reservation, &model, spent, price);
        let queued = self.store.submit(KEPT, change, move |written| drop(written.inspect_err(lost)));
        drop(queued.inspect_err(lost));
    }

    /// What was used from `since` on, by `caller` or by everybody. Blocks on the disk.
    pub(crate) fn rows(&self, since: Date, caller: Option<&str>) -> Result<Vec<Row>, StoreError> {
        self.store.read_blocking(|db| rows(db, &since.to_string(), caller))
    }

    /// Tokens and money that are used and reserved today by `caller`, and by everybody. Blocks on the disk.
    pub(crate) fn today(&self, caller: &str) -> Result<[(u64, u64); 2], StoreError> {
        let day = Timestamp::now().to_zoned(TimeZone::UTC).date().to_string();
        self.store.read_blocking(|db| {
            let of = |caller| {
                sum(db, &day, caller).map(|sum| (sum.used + sum.reserved, sum.used_cost + sum.reserved_cost))
            };
            Ok([of(Some(caller))?, of(None)?])
        })
    }
}

/// When the counters of `day` no longer count.
pub(crate) fn ends(day: Date) -> Timestamp {
    let next = day.checked_add(1.day()).unwrap_or(day);
    next.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn unusable(error: StoreError) -> Error {
    Error::internal(format!("the counters of models cannot be written: {error}"))
}

fn reserve(
    db: &Connection,
    demand: &Demand,
    limits: Limits,
    day: Date,
    now: Timestamp,
) -> rusqlite::Result<Result<Reservation, (Refused, Option<Note>)>> {
    let key = day.to_string();
    let (own, all) = (sum(db, &key, Some(&demand.caller))?, sum(db, &key, None)?);
    let left = |tokens: u64| {
        let resets_in = ends(day).duration_since(now).try_into().unwrap_or(Duration::ZERO);
        let narrowest = [(limits.caller, own), (limits.instance, all)]
            .into_iter()
            .filter(|(limit, _)| *limit > 0)
            .map(|(limit, sum)| (limit.saturating_sub(sum.used + sum.reserved + tokens), limit))
            .min();
        narrowest.map(|(remaining, limit)| Note::Tokens { limit, remaining, resets_in })
    };
    let granted = match grant(demand, limits, own, all) {
        Ok(granted) => granted,
        Err(refused) => return Ok(Err((refused, left(0)))),
    };
    let tokens = demand.prompt + granted;
    let cost = demand.prompt * demand.price.prompt + granted * demand.price.completion;
    db.prepare_cached(
        "INSERT INTO llm_reserved (day, caller, model, tokens, cost_nanos, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![key, demand.caller, demand.model, signed(tokens), signed(cost), now.as_millisecond()])?;
    Ok(Ok(Reservation {
        id: db.last_insert_rowid(),
        day,
        caller: demand.caller.clone(),
        completion: granted,
        left: left(tokens),
    }))
}

/// How many tokens may be written.
fn grant(demand: &Demand, limits: Limits, own: Sum, all: Sum) -> Result<u64, Refused> {
    let mut granted = demand.completion;
    let tokens = [
        (Which::Call, limits.call, Sum::default()),
        (Which::Caller, limits.caller, own),
        (Which::Instance, limits.instance, all),
    ];
    for (which, limit, sum) in tokens {
        // None where what is read is too much already, be it that nothing is to be written.
        let room = limit.saturating_sub(sum.used + sum.reserved).checked_sub(demand.prompt);
        match room {
            _ if limit == 0 => {}
            Some(room) if granted <= room => {}
            Some(room) if demand.flexible && room > 0 => granted = room,
            _ => {
                let wanted = demand.prompt + granted;
                return Err(Refused { which, limit, used: sum.used, reserved: sum.reserved, wanted });
            }
        }
    }
    let money =
        [(Which::CallerCost, limits.caller_cost, own), (Which::InstanceCost, limits.instance_cost, all)];
    for (which, limit, sum) in money {
        let read = demand.prompt * demand.price.prompt;
        let written = granted * demand.price.completion;
        let room = limit.saturating_sub(sum.used_cost + sum.reserved_cost).checked_sub(read);
        let fits = room.and_then(|room| room.checked_div(demand.price.completion)).unwrap_or_default();
        match room {
            _ if limit == 0 => {}
            Some(room) if written <= room => {}
            Some(_) if demand.flexible && fits > 0 => granted = fits,
            _ => {
                let (used, reserved) = (sum.used_cost, sum.reserved_cost);
                return Err(Refused { which, limit, used, reserved, wanted: read + written });
            }
        }
    }
    Ok(granted)
}

fn sum(db: &Connection, day: &str, caller: Option<&str>) -> rusqlite::Result<Sum> {
    let used = "SELECT coalesce(sum(prompt_tokens + completion_tokens), 0), coalesce(sum(cost_nanos), 0) \
                FROM llm_usage WHERE day = ?1 AND (?2 IS NULL OR caller = ?2)";
    let reserved = "SELECT coalesce(sum(tokens), 0), coalesce(sum(cost_nanos), 0) \
                    FROM llm_reserved WHERE day = ?1 AND (?2 IS NULL OR caller = ?2)";
    let pair = |row: &rusqlite::Row<'_>| Ok((unsigned(row.get(0)?), unsigned(row.get(1)?)));
    let (used, used_cost) = db.prepare_cached(used)?.query_row(params![day, caller], pair)?;
    let (reserved, reserved_cost) = db.prepare_cached(reserved)?.query_row(params![day, caller], pair)?;
    Ok(Sum { used, used_cost, reserved, reserved_cost })
}

fn settle(
    db: &Connection,
    reservation: &Reservation,
    model: &str,
    spent: Spent,
    price: Price,
) -> rusqlite::Result<()> {
    let open = db
        .prepare_cached("DELETE FROM llm_reserved WHERE id = ?1 RETURNING id")?
        .query_row([reservation.id], |row| row.get::<_, i64>(0))
        .optional()?;
    // Nothing was sent: it is as if nothing had been asked.
    if open.is_none() || spent == Spent::default() {
        return Ok(());
    }
    let cost = price.of(spent);
    db.prepare_cached(
        "INSERT INTO llm_usage (day, caller, model, calls, prompt_tokens, completion_tokens, estimated_tokens, cost_nanos) \
         VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET calls = calls + 1, \
         prompt_tokens = prompt_tokens + excluded.prompt_tokens, \
         completion_tokens = completion_tokens + excluded.completion_tokens, \
         estimated_tokens = estimated_tokens + excluded.estimated_tokens, \
         cost_nanos = cost_nanos + excluded.cost_nanos",
    )?
    .execute(params![
        reservation.day.to_string(),
        reservation.caller,
        model,
        signed(spent.prompt),
        signed(spent.completion),
        signed(spent.estimated),
        signed(cost),
    ])?;
    Ok(())
}

fn rows(db: &Connection, since: &str, caller: Option<&str>) -> rusqlite::Result<Vec<Row>> {
    let mut statement = db.prepare(
        "SELECT day, caller, model, calls, prompt_tokens, completion_tokens, estimated_tokens, cost_nanos \
         FROM llm_usage WHERE day >= ?1 AND (?2 IS NULL OR caller = ?2) ORDER BY day DESC, caller, model LIMIT 10000",
    )?;
    let rows = statement.query_map(params![since, caller], |row| {
        Ok(Row {
            day: row.get(0)?,
            caller: row.get(1)?,
            model: row.get(2)?,
            calls: unsigned(row.get(3)?),
            prompt: unsigned(row.get(4)?),
            completion: unsigned(row.get(5)?),
            estimated: unsigned(row.get(6)?),
            cost: unsigned(row.get(7)?),
        })
    })?;
    rows.collect()
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

// === impl Refusal ===

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, left: None }
    }
}

// === impl Refused ===

impl Refused {
    fn error(self, now: Timestamp, day: Date) -> Error {
        let Self { which, limit, used, reserved, wanted } = self;
        let remaining = limit.saturating_sub(used + reserved);
        if which == Which::Call {
            let text = format!(
                "The call may come to {wanted} tokens; {limit} are allowed for one. Send less, or ask for fewer with max_tokens."
            );
            return Error::new(Code::LlmQuotaExceeded, text).with_data(json!({
                "which": which.label(), "limit": limit, "wanted": wanted, "retry_safe": true,
            }));
        }
        let resets = ends(day);
        let wait = resets.duration_since(now).as_millis();
        let unit =
            |n: u64| if which.is_money() { format!("{:.4}", billionths(n)) } else { format!("{n} tokens") };
        let who =
            if matches!(which, Which::Caller | Which::CallerCost) { "you" } else { "all callers together" };
        let text = format!(
            "The call may come to {}; of today's {} for {who} {} are left. It is whole again at {resets:.0}.",
            unit(wanted),
            unit(limit),
            unit(remaining),
        );
        let number = |n: u64| if which.is_money() { json!(billionths(n)) } else { json!(n) };
        Error::new(Code::LlmQuotaExceeded, text).with_data(json!({
            "which": which.label(),
            "limit": number(limit),
            "used": number(used),
            "reserved": number(reserved),
            "remaining": number(remaining),
            "wanted": number(wanted),
            "resets_at": format!("{resets:.0}"),
            "retry_after_ms": u64::try_from(wait).unwrap_or_default(),
            "retry_safe": true,
        }))
    }
}

impl Which {
    fn label(self) -> &'static str {
        match self {
            Self::Call => "tokens_per_request",
            Self::Caller => "tokens_per_day",
            Self::CallerCost => "cost_per_day",
            Self::Instance => "instance_tokens_per_day",
            Self::InstanceCost => "instance_cost_per_day",
        }
    }

    fn is_money(self) -> bool {
        matches!(self, Self::CallerCost | Self::InstanceCost)
    }
}

/// Billionths as a number of units.
#[expect(clippy::cast_precision_loss, reason = "money for people to read")]
pub(crate) fn billionths(n: u64) -> f64 {
    n as f64 / 1e9
}

#[cfg(test)]
mod tests;
