//! Whether a request that failed is made again, and when.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

use crate::failure::Failure;
use crate::upstream::Upstream;

/// Who is told to come back later than this is not waited for.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// The same when somebody else can be asked meanwhile.
const WAIT_MAX_BESIDE_OTHERS: Duration = Duration::from_secs(3);

/// The tries at one upstream.
pub(crate) struct Tries {
    delays: ExponentialBackoff,
    wait_max: Duration,
    deadline: Instant,
}

impl Tries {
    /// `others`: whether another upstream could be asked instead.
    pub(crate) fn at(upstream: &Upstream, others: bool, deadline: Instant) -> Self {
        let delays = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(5))
            .with_max_times(upstream.model.retries as usize);
        let wait_max = if others { WAIT_MAX_BESIDE_OTHERS } else { WAIT_MAX };
        Self { delays: delays.build(), wait_max, deadline }
    }

    /// Waits as long as the provider asks for, or a little longer each time; false when there is no use in it.
    pub(crate) async fn again(&mut self, failure: &Failure) -> bool {
        if !failure.is_passing() {
            return false;
        }
        let Some(delay) = self.delays.next() else { return false };
        let delay = failure.retry_after.unwrap_or(delay);
        if delay > self.wait_max || Instant::now() + delay > self.deadline {
            return false;
        }
        tokio::time::sleep(delay).await;
        true
    }
}
