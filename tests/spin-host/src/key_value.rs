//! `spin:key-value`, with stores in memory that all instances share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::component::{Accessor, FutureReader, HasData, Resource, ResourceTable, StreamReader};

use crate::bindings::key_value::{Error, Host, HostStore, HostStoreWithStore};
use crate::fault::Faults;

/// The operations that a test may let fail.
const OPERATIONS: [&str; 6] = ["open", "get", "set", "delete", "exists", "get_keys"];

type Entries = BTreeMap<String, Vec<u8>>;

/// Every store of the application, by its label.
#[derive(Debug)]
pub(crate) struct Stores {
    entries: Mutex<BTreeMap<String, Entries>>,
    pub(crate) faults: Faults,
}

/// A store that a component has opened.
#[expect(unreachable_pub, reason = "the bindings re-export it")]
#[derive(Debug)]
pub struct OpenStore {
    label: String,
}

/// What one component has of the stores.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) stores: Arc<Stores>,
    /// The labels that its manifest entry names.
    pub(crate) allowed: Arc<Vec<String>>,
}

/// A view of [`Access`] in the data of a `wasmtime` store.
pub(crate) struct View<'a> {
    pub(crate) access: &'a Access,
    pub(crate) table: &'a mut ResourceTable,
}

/// The type of that view.
pub(crate) struct KeyValue;

impl HasData for KeyValue {
    type Data<'a> = View<'a>;
}

impl Stores {
    pub(crate) fn new() -> Self {
        Self {
            entries: Mutex::default(),
            faults: Faults::new(&OPERATIONS),
        }
    }

    /// All entries of all stores.
    pub(crate) fn all(&self) -> MutexGuard<'_, BTreeMap<String, Entries>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host for View<'_> {}

impl HostStore for View<'_> {
    fn drop(&mut self, store: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

impl<T: Send> HostStoreWithStore<T> for KeyValue {
    async fn open(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<OpenStore>, Error>> {
        let access = accessor.with(|mut view| view.get().access.clone());
        if let Err(error) = access.meet("open").await {
            return Ok(Err(error));
        }
        if !access.allowed.contains(&label) {
            return Ok(Err(Error::AccessDenied));
        }
        let opened = accessor.with(|mut view| view.get().table.push(OpenStore { label }))?;
        Ok(Ok(opened))
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        work(accessor, &store, "get", |entries| {
            entries.get(&key).cloned()
        })
        .await
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        work(accessor, &store, "set", |entries| {
            entries.insert(key, value);
        })
        .await
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        work(accessor, &store, "delete", |entries| {
            entries.remove(&key);
        })
        .await
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        work(accessor, &store, "exists", |entries| {
            entries.contains_key(&key)
        })
        .await
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let keys = work(accessor, &store, "get_keys", |entries| {
            entries.keys().cloned().collect::<Vec<_>>()
        })
        .await?;
        let (keys, outcome) = match keys {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        accessor.with(|mut view| {
            Ok((
                StreamReader::new(&mut view, keys)?,
                FutureReader::new(&mut view, async move { wasmtime::error::Ok(outcome) })?,
            ))
        })
    }
}

impl Access {
    async fn meet(&self, operation: &str) -> Result<(), Error> {
        self.stores
            .faults
            .meet(operation)
            .await
            .map_err(Error::Other)
    }
}

/// Works on the entries of an open store, after the fault of the operation.
async fn work<T: Send, R>(
    accessor: &Accessor<T, KeyValue>,
    store: &Resource<OpenStore>,
    operation: &str,
    work: impl FnOnce(&mut Entries) -> R,
) -> wasmtime::Result<Result<R, Error>> {
    let (access, label) = accessor.with(|mut view| {
        let view = view.get();
        let label = view.table.get(store)?.label.clone();
        wasmtime::error::Ok((view.access.clone(), label))
    })?;
    if let Err(error) = access.meet(operation).await {
        return Ok(Err(error));
    }
    Ok(Ok(work(access.stores.all().entry(label).or_default())))
}
