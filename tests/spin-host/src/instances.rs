//! The instances of a component: how they come to be, how many requests they take, and when they end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::time::Sleep;
use wasmtime::component::{GuestTaskId, ResourceTable};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpView as _};

use crate::clock::WallClock;
use crate::key_value;
use crate::log::Log;
use crate::outbound::Outbound;
use crate::state::State;
use crate::variables;

/// How long instances are used again, as Spin's options of the same names say.
#[derive(Debug, Clone, Copy)]
pub struct Reuse {
    /// Requests that an instance takes in its life.
    pub requests: usize,
    /// Requests that an instance works on at once.
    pub concurrent_requests: usize,
    /// How long an instance without a request lives on.
    pub idle: Duration,
    /// How long a request may take; Spin sets no limit by default.
    pub request_timeout: Option<Duration>,
}

impl Default for Reuse {
    fn default() -> Self {
        Self {
            requests: 128,
            concurrent_requests: 16,
            idle: Duration::from_secs(1),
            request_timeout: None,
        }
    }
}

/// Makes the instances of one component.
pub(crate) struct Maker {
    pub(crate) engine: Engine,
    pub(crate) service: ServicePre<State>,
    pub(crate) reuse: Reuse,
    pub(crate) register: Arc<Register>,
    pub(crate) environment: Vec<(String, String)>,
    /// The folder that is mounted.
    pub(crate) files: Option<PathBuf>,
    pub(crate) clock: WallClock,
    pub(crate) stdout: Log,
    pub(crate) stderr: Log,
    pub(crate) outbound: Outbound,
    pub(crate) stores: key_value::Access,
    pub(crate) variables: variables::Values,
}

/// Counts the instances of one component, and tells them to take no more requests.
#[derive(Debug, Default)]
pub(crate) struct Register {
    started: AtomicU64,
    /// Grows with each retirement: an instance of an older generation takes nothing.
    generation: AtomicU64,
    /// Those that live, with what wakes them up where they are idle.
    alive: Mutex<BTreeMap<u64, Option<Waker>>>,
}

/// An instance's place in the register.
struct Registered {
    register: Arc<Register>,
    number: u64,
    generation: u64,
}

pub(crate) struct Worker {
    registered: Arc<Registered>,
    reuse: Reuse,
}

/// When an instance ends: after a second without a request, or at once when it is retired.
pub(crate) struct Expiration {
    registered: Arc<Registered>,
    reuse: Reuse,
    sleep: Pin<Box<Sleep>>,
}

impl Register {
    /// How many instances were started, and how many live.
    pub(crate) fn count(&self) -> (u64, usize) {
        (self.started.load(Ordering::SeqCst), self.alive().len())
    }

    /// From now on no instance that exists takes another request.
    pub(crate) fn retire(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        for waker in self.alive().values_mut().filter_map(Option::take) {
            waker.wake();
        }
    }

    fn add(register: &Arc<Self>) -> Arc<Registered> {
        let number = register.started.fetch_add(1, Ordering::SeqCst);
        register.alive().insert(number, None);
        Arc::new(Registered {
            generation: register.generation.load(Ordering::SeqCst),
            register: register.clone(),
            number,
        })
    }

    fn alive(&self) -> MutexGuard<'_, BTreeMap<u64, Option<Waker>>> {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registered {
    fn is_retired(&self) -> bool {
        self.register.generation.load(Ordering::SeqCst) != self.generation
    }

    fn wake_at_retirement(&self, waker: &Waker) {
        if let Some(place) = self.register.alive().get_mut(&self.number) {
            *place = Some(waker.clone());
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.register.alive().remove(&self.number);
    }
}

impl HandlerState for Maker {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Worker>> {
        let mut store = Store::new(&self.engine, self.state()?);
        let proxy = Proxy::P3(self.service.instantiate_async(&mut store).await?);
        let registered = Register::add(&self.register);
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Expiration {
                registered: registered.clone(),
                reuse: self.reuse,
                sleep: Box::pin(tokio::time::sleep(Duration::MAX)),
            },
            state: Worker {
                registered,
                reuse: self.reuse,
            },
        })
    }
}

impl Maker {
    fn state(&self) -> wasmtime::Result<State> {
        let mut wasi = WasiCtxBuilder::new();
        wasi.envs(&self.environment)
            .wall_clock(self.clock.clone())
            .stdout(self.stdout.clone())
            .stderr(self.stderr.clone());
        if let Some(files) = &self.files {
            wasi.preopened_dir(files, "/", FsPerms::ReadOnly)?;
        }
        Ok(State {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: self.outbound.clone(),
            stores: self.stores.clone(),
            variables: self.variables.clone(),
        })
    }
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if self.registered.is_retired() || total >= self.reuse.requests {
            ShouldAccept::Never
        } else if concurrent >= self.reuse.concurrent_requests {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, State>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        match self.reuse.request_timeout {
            Some(timeout) => Box::pin(tokio::time::sleep(timeout)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn drop(&self, store: Store<State>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            eprintln!("worker failed: {error:#}");
        }
        drop(store);
    }
}

impl WorkerExpiration for Expiration {
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        let this = self.get_mut();
        let limit = match status {
            WorkerStatus::Idle => {
                // First the waker, then the question: a retirement in between wakes.
                this.registered.wake_at_retirement(cx.waker());
                if this.registered.is_retired() {
                    return Poll::Ready(());
                }
                Some(this.reuse.idle)
            }
            WorkerStatus::Requests | WorkerStatus::PostReturn => this.reuse.request_timeout,
        };
        let Some(deadline) = limit.and_then(|limit| start.checked_add(limit)) else {
            return Poll::Pending;
        };
        if this.sleep.deadline() != deadline.into() {
            this.sleep.as_mut().reset(deadline.into());
        }
        this.sleep.as_mut().poll(cx)
    }
}
