//! `spin:variables`: the variables of a component, with the values that they have from the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::component::{Accessor, HasData};

use crate::bindings::variables::{Error, Host, HostWithStore};
use crate::fault::Faults;
use crate::template;

/// The one operation, which a test may let fail.
pub(crate) const OPERATIONS: [&str; 1] = ["get"];

/// The variables of one component.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    pub(crate) values: Arc<BTreeMap<String, String>>,
    pub(crate) faults: Arc<Faults>,
}

/// A view of [`Values`] in the data of a `wasmtime` store.
pub(crate) struct View<'a>(pub(crate) &'a Values);

/// The type of that view.
pub(crate) struct Variables;

impl HasData for Variables {
    type Data<'a> = View<'a>;
}

impl Host for View<'_> {}

impl<T: Send> HostWithStore<T> for Variables {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        let variables = accessor.with(|mut view| view.get().0.clone());
        if let Err(text) = variables.faults.meet("get").await {
            return Ok(Err(Error::Provider(text)));
        }
        if let Err(error) = template::check_name(&name) {
            return Ok(Err(Error::InvalidName(error.to_string())));
        }
        let value = variables.values.get(&name).cloned();
        Ok(value.ok_or_else(|| Error::Undefined(format!("no variable `{name}`"))))
    }
}
