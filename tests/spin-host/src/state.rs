//! What one instance of a component holds on the host's side.

use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings;
use crate::key_value::{self, KeyValue};
use crate::outbound::Outbound;
use crate::variables::{self, Variables};

/// The data of a `wasmtime` store.
pub(crate) struct State {
    pub(crate) table: ResourceTable,
    pub(crate) wasi: WasiCtx,
    pub(crate) http: WasiHttpCtx,
    pub(crate) outbound: Outbound,
    pub(crate) stores: key_value::Access,
    pub(crate) variables: variables::Values,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outbound,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// Adds everything that this host gives to components.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi::p3::add_to_linker(linker)?;
    wasmtime_wasi_http::p3::add_to_linker(linker)?;
    bindings::key_value::add_to_linker::<_, KeyValue>(linker, |state: &mut State| {
        key_value::View {
            access: &state.stores,
            table: &mut state.table,
        }
    })?;
    bindings::variables::add_to_linker::<_, Variables>(linker, |state: &mut State| {
        variables::View(&state.variables)
    })
}
