//! Who is next: queries, then what was just saved, then what is indexed in bulk; each in order, and each bounded.

use std::collections::VecDeque;

/// What waits for a request. Lower ones wait for all higher ones, even in the middle of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A person waits.
    Query,
    /// A file that was just saved.
    Fresh,
    /// Everything else.
    Bulk,
}

/// How many there are.
const PRIORITIES: usize = 3;

/// A queue per priority, all of the same bound, so that bulk never keeps a query out.
pub(crate) struct Queue<T> {
    lanes: [VecDeque<T>; PRIORITIES],
    max: usize,
}

impl<T> Queue<T> {
    pub(crate) fn new(max: usize) -> Self {
        Self { lanes: Default::default(), max }
    }

    /// Puts an item last of its priority. When that is full, those that `wanted` no longer holds of make room.
    ///
    /// # Errors
    /// How many wait, when there is no room.
    pub(crate) fn push(
        &mut self,
        priority: Priority,
        item: T,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<(), usize> {
        let lane = &mut self.lanes[priority as usize];
        if lane.len() >= self.max {
            lane.retain(wanted);
        }
        if lane.len() >= self.max {
            return Err(lane.len());
        }
        lane.push_back(item);
        Ok(())
    }

    /// Puts an item back that was taken, first of its priority.
    pub(crate) fn put_back(&mut self, priority: Priority, item: T) {
        self.lanes[priority as usize].push_front(item);
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        self.lanes.iter_mut().find_map(VecDeque::pop_front)
    }

    pub(crate) fn len(&self) -> usize {
        self.lanes.iter().map(VecDeque::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn higher_ones_go_first_and_each_lane_keeps_its_order() {
        let mut queue = Queue::new(2);
        for (priority, item) in [
            (Priority::Bulk, 5),
            (Priority::Fresh, 3),
            (Priority::Query, 1),
            (Priority::Query, 2),
            (Priority::Fresh, 4),
        ] {
            queue.push(priority, item, |_| true).unwrap();
        }
        let first = queue.pop().unwrap();
        queue.put_back(Priority::Query, first);
        let all: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(all, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_full_lane_refuses_what_no_leaver_makes_room_for() {
        let mut queue = Queue::new(2);
        queue.push(Priority::Bulk, 1, |_| true).unwrap();
        queue.push(Priority::Bulk, 2, |_| true).unwrap();
        assert_eq!(queue.push(Priority::Bulk, 3, |_| true), Err(2));
        queue.push(Priority::Query, 9, |_| true).unwrap();
        queue.push(Priority::Bulk, 3, |item| *item != 1).unwrap();
        assert_eq!((queue.pop(), queue.pop(), queue.pop(), queue.pop()), (Some(9), Some(2), Some(3), None));
    }
}
