//! What is made when somebody wants it, and is gone when nobody holds it any more.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// One value for all who hold it at the same time, made by the first of them. For what is large and wanted now and then,
/// as a compiled schema is: a megabyte of a process that reads files when it starts, and when they change.
///
/// Who takes it over and over holds it meanwhile.
pub struct Lent<T> {
    make: fn() -> T,
    held: Mutex<Weak<T>>,
}

impl<T> Lent<T> {
    /// Nothing yet; `make` makes it.
    pub const fn new(make: fn() -> T) -> Self {
        Self { make, held: Mutex::new(Weak::new()) }
    }

    /// The value that others hold, or a new one.
    pub fn get(&self) -> Arc<T> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.upgrade().unwrap_or_else(|| {
            let made = Arc::new((self.make)());
            *held = Arc::downgrade(&made);
            made
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn it_is_made_once_for_all_who_hold_it_and_again_afterwards() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        static LENT: Lent<usize> = Lent::new(|| MADE.fetch_add(1, Ordering::Relaxed));
        let (one, other) = (LENT.get(), LENT.get());
        assert!(Arc::ptr_eq(&one, &other) && *one == 0);
        drop(one);
        assert_eq!(*LENT.get(), 0, "somebody holds it still");
        drop(other);
        assert_eq!(*LENT.get(), 1);
    }
}
