//! Where a method is answered: the catalogue with an address beside every entry, one immutable table, replaced
//! whole when a backend comes or goes. Built-in methods are there from the start and can never be shadowed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use event_listener::Event;
use protocol::dispatch::Call;
use protocol::mcp::Tool;
use protocol::{Catalog, Entry};
use supervisor::Slot;

/// Where a call goes.
#[derive(Clone)]
pub enum Destination {
    /// The gateway answers it itself.
    Here,
    /// The actor in this slot answers it.
    There(Slot<Call>),
}

/// One method and its address.
#[derive(Clone)]
pub struct Route {
    /// The method.
    pub entry: Arc<Entry>,
    /// The address.
    pub to: Destination,
    tool: Arc<OnceLock<Arc<Tool>>>,
}

impl Route {
    /// The method as a tool, written when it is first asked for.
    pub fn tool(&self) -> &Arc<Tool> {
        self.tool.get_or_init(|| Arc::new(Tool::of(&self.entry)))
    }
}

/// What is told of a service beside its methods.
#[derive(Clone, Debug)]
pub struct About {
    /// One sentence.
    pub description: String,
    /// Its version.
    pub version: String,
}

/// All routes at one moment.
#[derive(Clone, Default)]
pub struct Table {
    /// All methods.
    pub catalog: Catalog,
    /// About every service.
    pub about: BTreeMap<String, About>,
    /// Counts up with every change.
    pub generation: u64,
    by_name: HashMap<String, Route>,
}

impl Table {
    /// The route of a method.
    pub fn get(&self, method: &str) -> Option<&Route> {
        self.by_name.get(method)
    }

    /// All routes, in no order.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.by_name.values()
    }

    fn forget(&mut self, service: &str) {
        self.catalog.remove_service(service);
        self.by_name.retain(|_, route| route.entry.service != service);
        self.about.remove(service);
    }
}

/// The routes, shared by those who read them at every call and the few who change them.
#[derive(Clone, Default)]
pub struct Routes {
    table: Arc<ArcSwap<Table>>,
    /// Serialises changes; readers never wait for it.
    changing: Arc<Mutex<()>>,
    changed: Arc<Event>,
}

/// A backend offered a method that exists.
#[derive(Debug, thiserror::Error)]
#[error("method '{method}' belongs to '{owner}' already")]
pub struct Shadowed {
    /// The method.
    pub method: String,
    /// Whose it is.
    pub owner: String,
}

impl Routes {
    /// The routes at this moment.
    pub fn load(&self) -> arc_swap::Guard<Arc<Table>> {
        self.table.load()
    }

    /// Adds a service and all its methods, in place of those that it had, or none of them.
    ///
    /// # Errors
    /// When one of the methods is another service's.
    pub fn add(
        &self,
        service: &str,
        about: About,
        entries: Vec<Entry>,
        to: &Destination,
    ) -> Result<(), Shadowed> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = Table::clone(&self.table.load());
        table.forget(service);
        for entry in entries {
            let method = entry.name.clone();
            if let Some(taken) = table.catalog.get(&method) {
                return Err(Shadowed { method, owner: taken.service.clone() });
            }
            table
                .catalog
                .add(entry)
                .map_err(|taken| Shadowed { method: taken.0, owner: service.to_owned() })?;
            let entry = Arc::clone(table.catalog.get(&method).expect("just added"));
            table.by_name.insert(method, Route { entry, to: to.clone(), tool: Arc::default() });
        }
        table.about.insert(service.to_owned(), about);
        table.generation += 1;
        self.table.store(Arc::new(table));
        self.changed.notify(usize::MAX);
        Ok(())
    }

    /// Removes a service and all its methods.
    pub fn remove(&self, service: &str) {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.table.load().about.contains_key(service) {
            return;
        }
        let mut table = Table::clone(&self.table.load());
        table.forget(service);
        table.generation += 1;
        self.table.store(Arc::new(table));
        self.changed.notify(usize::MAX);
    }

    /// Told after every change of what may be called.
    pub(crate) fn changed(&self) -> &Event {
        &self.changed
    }
}
