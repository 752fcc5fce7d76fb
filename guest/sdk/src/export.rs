//! The macro that turns a type into a plugin.

/// Exports a plugin: its type and the hooks that it has, [`Collector`](crate::Collector) first.
///
/// `meterbox_plugin::export!(Hello: Collector, Schedule, HttpHandler);`
///
/// A hook that is not named is not exported, even if its trait is implemented.
#[macro_export]
macro_rules! export {
    ($plugin:ty: Collector $(, $hook:ident)* $(,)?) => {
        const _: () = {
            ::std::thread_local! {
                static PLUGIN: $crate::plugin::Cell<$plugin> =
                    const { ::std::cell::RefCell::new(None) };
            }
            impl $crate::plugin::Plugin for $plugin {
                fn cell() -> &'static ::std::thread::LocalKey<$crate::plugin::Cell<Self>> {
                    &PLUGIN
                }
            }
            // A native build, as for unit tests, has nobody to export to; this keeps it from calling the plugin
            // unused.
            #[cfg(not(target_family = "wasm"))]
            const _: fn() = || {
                let _ = <$plugin as $crate::Collector>::register;
            };
            #[cfg(target_family = "wasm")]
            const _: () = {
                // A custom section, which `strip` leaves alone: `meterbox inspect` shows it.
                #[used]
                #[unsafe(link_section = "meterbox-sdk")]
                static SDK: [u8; $crate::plugin::SDK.len()] = $crate::plugin::SDK;
                type Exports = $crate::plugin::Exports<$plugin>;
                $crate::__export_hook!(Exports Collector);
                $($crate::__export_hook!(Exports $hook);)*
            };
        };
    };
    ($plugin:ty: $($hook:ident),* $(,)?) => {
        ::std::compile_error!("every plugin has the hook `Collector`, which comes first");
    };
}

/// One hook of [`export!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __export_hook {
    ($exports:ident Collector) => {
        $crate::bindings::collector::export_collector!($exports with_types_in $crate::bindings::collector);
    };
    ($exports:ident Lifecycle) => {
        $crate::bindings::lifecycle::export_lifecycle!($exports with_types_in $crate::bindings::lifecycle);
    };
    ($exports:ident Schedule) => {
        $crate::bindings::schedule::export_schedule!($exports with_types_in $crate::bindings::schedule);
    };
    ($exports:ident TextCollector) => {
        $crate::bindings::text::export_text_collector!($exports with_types_in $crate::bindings::text);
    };
    ($exports:ident Wants) => {
        $crate::bindings::wants::export_wants!($exports with_types_in $crate::bindings::wants);
    };
    ($exports:ident Probe) => {
        $crate::bindings::probe::export_probe!($exports with_types_in $crate::bindings::probe);
    };
    ($exports:ident HttpHandler) => {
        $crate::__export_http!($exports);
    };
    ($exports:ident $hook:ident) => {
        ::std::compile_error!(::std::concat!(
            "no hook `", ::std::stringify!($hook),
            "`: there are Collector, Lifecycle, Schedule, TextCollector, Wants, Probe and HttpHandler"
        ));
    };
}

#[cfg(feature = "http")]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_http {
    ($exports:ident) => {
        $crate::http::wasip2::http::proxy::export!($exports with_types_in $crate::http::wasip2);
    };
}

#[cfg(not(feature = "http"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_http {
    ($exports:ident) => {
        ::std::compile_error!("the hook `HttpHandler` needs the feature `http` of meterbox-plugin");
    };
}
