//! What one call has used so far. However the call ends, be it that nobody waits for it any more, this is settled.

use serde_json::{Value, json};

use crate::quota::{Ledger, Price, Reservation, Spent, billionths};
use crate::tokens;
use crate::upstream::Upstream;
use crate::wire::Usage;

pub(crate) struct Bill {
    ledger: Ledger,
    reservation: Option<Reservation>,
    /// Who answers now.
    alias: String,
    price: Price,
    /// Tokens of the prompt as we counted them.
    prompt: u64,
    /// What tries that failed had used.
    earlier: Spent,
    /// Whether anything of an answer has come.
    begun: bool,
    written: String,
    usage: Option<Usage>,
}

/// What a call has come to in the end.
pub(crate) struct Settled {
    pub(crate) spent: Spent,
    /// In billionths; none where the model has no price.
    cost: Option<u64>,
}

impl Bill {
    pub(crate) fn new(ledger: Ledger, reservation: Reservation, upstream: &Upstream, prompt: u64) -> Self {
        Self {
            ledger,
            reservation: Some(reservation),
            alias: upstream.alias.clone(),
            price: upstream.price(),
            prompt,
            earlier: Spent::default(),
            begun: false,
            written: String::new(),
            usage: None,
        }
    }

    /// From here on `upstream` answers, anew.
    pub(crate) fn begin(&mut self, upstream: &Upstream) {
        self.earlier = self.spent();
        (self.begun, self.usage) = (false, None);
        self.written.clear();
        self.alias.clone_from(&upstream.alias);
        self.price = upstream.price();
    }

    /// Who answers, or answered.
    pub(crate) fn alias(&self) -> &str {
        &self.alias
    }

    /// Something came.
    pub(crate) fn take(&mut self, written: &str, usage: Option<Usage>) {
        self.begun = true;
        self.written.push_str(written);
        self.usage = usage.or(self.usage);
    }

    /// What the call has come to. Where the provider has not said it, we count.
    pub(crate) fn spent(&self) -> Spent {
        let Spent { prompt, completion, estimated } = self.earlier;
        match self.usage {
            Some(usage) => {
                Spent { prompt: prompt + usage.prompt, completion: completion + usage.completion, estimated }
            }
            None if self.begun => {
                let written = tokens::count(&self.written);
                Spent {
                    prompt: prompt + self.prompt,
                    completion: completion + written,
                    estimated: estimated + self.prompt + written,
                }
            }
            None => self.earlier,
        }
    }

    /// Settles; resolves when that is committed.
    pub(crate) async fn settle(mut self) -> Result<Settled, protocol::Error> {
        let spent = self.spent();
        let cost = (self.price != Price::default()).then(|| self.price.of(spent));
        if let Some(reservation) = self.reservation.take() {
            let (alias, price) = (std::mem::take(&mut self.alias), self.price);
            self.ledger.settle(reservation, alias, spent, price).await?;
        }
        Ok(Settled { spent, cost })
    }
}

impl Settled {
    /// Says in a whole answer what it cost, as `usage.cost` (`OpenRouter`'s name for it), and how many tokens we counted
    /// where its provider does not say that.
    pub(crate) fn note_in(&self, answer: &mut Value) {
        match answer.get_mut("usage") {
            Some(Value::Object(usage)) => {
                if let Some(cost) = self.cost {
                    usage.insert("cost".to_owned(), billionths(cost).into());
                }
            }
            _ => answer["usage"] = self.usage(),
        }
    }

    /// As `usage` of an answer.
    pub(crate) fn usage(&self) -> Value {
        let Spent { prompt, completion, .. } = self.spent;
        let mut usage = json!({
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        });
        if let Some(cost) = self.cost {
            usage["cost"] = billionths(cost).into();
        }
        usage
    }
}

impl Drop for Bill {
    fn drop(&mut self) {
        if let Some(reservation) = self.reservation.take() {
            let alias = std::mem::take(&mut self.alias);
            self.ledger.settle_later(reservation, alias, self.spent(), self.price);
        }
    }
}
