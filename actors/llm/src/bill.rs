//! What one call has used so far. However the call ends, be it that nobody waits for it any more, this is settled.

use crate::quota::{Ledger, Price, Reservation, Spent};
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
    pub(crate) async fn settle(mut self) -> Result<Spent, protocol::Error> {
        let spent = self.spent();
        if let Some(reservation) = self.reservation.take() {
            let (alias, price) = (std::mem::take(&mut self.alias), self.price);
            self.ledger.settle(reservation, alias, spent, price).await?;
        }
        Ok(spent)
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
