//! Spin's own interfaces, bound from `wit/`.

wasmtime::component::bindgen!({
    path: "wit",
    world: "host",
    imports: {
        "spin:key-value/key-value.[drop]store": trappable,
        default: store | trappable,
    },
    with: {
        "spin:key-value/key-value.store": crate::key_value::OpenStore,
    },
});

pub(crate) use spin::key_value::key_value;
pub(crate) use spin::variables::variables;
