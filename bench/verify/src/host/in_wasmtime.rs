//! The module in wasmtime, compiled as Spin does.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bench_verify_guest::Order;
use wasmtime::{Caller, Engine, Extern, Instance, Linker, Module, Store, TypedFunc};

use super::Host;

/// Of the crate; it does not say so itself.
pub(crate) const VERSION: &str = "48.0.8";

/// One instance.
pub(crate) struct InWasmtime {
    store: Store<()>,
    instance: Instance,
    run: TypedFunc<(u32, u32), u32>,
}

impl InWasmtime {
    pub(crate) fn start(module: &Path) -> Result<Self> {
        // Spin sets nothing that changes the code of a function.
        let engine = Engine::default();
        let compiled = Module::from_file(&engine, module).map_err(anyhow::Error::from);
        let module = compiled.with_context(|| format!("compiling {}", module.display()))?;
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker.func_wrap("wasi_snapshot_preview1", "random_get", random_get)?;
        // What else Rust's library may ask for, it asks only on its way out.
        linker.define_unknown_imports_as_traps(&module)?;
        let instance = linker.instantiate(&mut store, &module)?;
        if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut store, "_initialize") {
            initialize.call(&mut store, ())?;
        }
        let run = instance.get_typed_func(&mut store, "run")?;
        Ok(Self {
            store,
            instance,
            run,
        })
    }

    fn call<P: wasmtime::WasmParams, R: wasmtime::WasmResults>(
        &mut self,
        name: &str,
        parameters: P,
    ) -> Result<R> {
        let function = self
            .instance
            .get_typed_func::<P, R>(&mut self.store, name)?;
        Ok(function.call(&mut self.store, parameters)?)
    }
}

/// The seed of hash tables. Nothing that is measured depends on it, and the same one every time makes no difference between two runs.
fn random_get(mut caller: Caller<'_, ()>, start: u32, length: u32) -> i32 {
    const FAULT: i32 = 21;
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return FAULT;
    };
    let (Ok(start), Ok(length)) = (usize::try_from(start), usize::try_from(length)) else {
        return FAULT;
    };
    match memory.write(&mut caller, start, &vec![7; length]) {
        Ok(()) => 0,
        Err(_) => FAULT,
    }
}

impl Host for InWasmtime {
    fn prepare(&mut self, order: &Order) -> Result<usize> {
        let order = serde_json::to_vec(order)?;
        let memory = self.instance.get_memory(&mut self.store, "memory");
        let memory = memory.context("a module without memory")?;
        let place: u32 = self.call("reserve", u32::try_from(order.len())?)?;
        memory.write(&mut self.store, usize::try_from(place)?, &order)?;
        let number: i32 = self.call("prepare_order", ())?;
        if let Ok(number) = usize::try_from(number) {
            return Ok(number);
        }
        let place: u32 = self.call("text", ())?;
        let mut complaint = vec![0; usize::try_from(number.unsigned_abs())?];
        memory.read(&self.store, usize::try_from(place)?, &mut complaint)?;
        bail!("{}", String::from_utf8_lossy(&complaint))
    }

    fn run(&mut self, prepared: usize, times: u32) -> Result<(Duration, u32)> {
        let prepared = u32::try_from(prepared)?;
        let started = Instant::now();
        let good = self.run.call(&mut self.store, (prepared, times))?;
        let time = started.elapsed();
        ensure!(good <= times, "more good signatures than there were");
        Ok((time, good))
    }
}
