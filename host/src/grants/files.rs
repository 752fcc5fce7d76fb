//! Folders and the environment: what a context is made with, and what is opened in it.

use std::{sync::Arc, time::Instant};

use wasmtime::{
    Result, StoreContextMut,
    component::{Linker, Resource},
};
use wasmtime_wasi::{
    FsPerms, WasiCtxBuilder,
    cli::WasiCliView as _,
    filesystem::{Descriptor, WasiFilesystemView as _},
    p2::bindings::{
        cli::environment::Host as _,
        filesystem::{
            preopens::Host as _,
            types::{
                DescriptorFlags, DescriptorType, ErrorCode, HostDescriptor as _, OpenFlags,
                PathFlags,
            },
        },
    },
};

use super::Granted;
use crate::{
    config::{DirGrant, Grant},
    engine::State,
};

type Store<'a> = StoreContextMut<'a, State>;

impl Granted {
    /// Whether the folders are there, so that a start says so and not a scrape.
    pub(crate) async fn check_dirs(&self, deadline: Instant) -> Result<(), String> {
        let Some(disk) = &self.disk else {
            return Ok(());
        };
        for dir in &self.config.dirs {
            let opened = {
                let dir = dir.clone();
                let open = move || open_dir(&dir, &mut WasiCtxBuilder::new());
                disk.wait(deadline, open).await
            };
            opened.unwrap_or_else(|| {
                let path = dir.host.display();
                Err(format!("grants.dirs: the folder {path} does not open in time (limits.start-timeout): see whether its file system answers, or remove the grant"))
            })?;
        }
        Ok(())
    }

    /// Gives a context what is granted. It opens folders, which may hang.
    pub(crate) fn furnish(self: &Arc<Self>, context: &mut WasiCtxBuilder) -> Result<(), String> {
        for (name, value) in &self.env {
            context.env(name, value.get());
        }
        self.let_connect(context);
        let mut dirs = self.config.dirs.iter();
        dirs.try_for_each(|dir| open_dir(dir, context))
    }

    /// Languages ask for all there is when they start, whether the program wants it or not.
    fn asked_for_all(&self, grant: Grant, item: &str) {
        if self.has(grant) {
            self.used(grant);
        } else {
            let (plugin, key) = (&self.plugin, grant.key());
            let remedy =
                format!("write {key} = {item} under [plugins.{plugin}.grants], if it needs any");
            self.deny_quietly(grant, &"to see any", &remedy);
        }
    }

    fn opened(&self, path: &str, to_change: bool, error: Option<ErrorCode>) {
        let plugin = &self.plugin;
        match error {
            None => self.used(Grant::Dirs),
            Some(ErrorCode::ReadOnly | ErrorCode::NotPermitted | ErrorCode::Access)
                if to_change && self.config.dirs.iter().any(|dir| !dir.write) =>
            {
                let remedy =
                    format!("set write = true for its folder in plugins.{plugin}.grants.dirs");
                self.deny(Grant::Dirs, &format_args!("to change {path:?}"), &remedy);
            }
            Some(ErrorCode::NotPermitted | ErrorCode::Access) => {
                let remedy = format!(
                    "grant its folder in plugins.{plugin}.grants.dirs, and let the exporter's user read it"
                );
                self.deny(Grant::Dirs, &format_args!("{path:?}"), &remedy);
            }
            // No denial, but a file that is not there, or not what the plugin takes it for.
            Some(_) => {}
        }
    }
}

fn open_dir(dir: &DirGrant, context: &mut WasiCtxBuilder) -> Result<(), String> {
    let perms = match dir.write {
        true => FsPerms::ReadWrite,
        false => FsPerms::ReadOnly,
    };
    let opened = context.preopened_dir(&dir.host, &dir.guest, perms);
    opened.map_err(|error| {
        let path = dir.host.display();
        format!("grants.dirs: cannot open the folder {path}: {error}; make it, or remove the grant")
    })?;
    Ok(())
}

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    let mut environment = linker.instance("wasi:cli/environment@0.2.12")?;
    environment.func_wrap("get-environment", |mut store: Store<'_>, (): ()| {
        let state = store.data_mut();
        state
            .identity
            .grants
            .asked_for_all(Grant::Env, "{ NAME = \"value\" }");
        Ok((state.cli().get_environment()?,))
    })?;
    let mut preopens = linker.instance("wasi:filesystem/preopens@0.2.12")?;
    preopens.func_wrap("get-directories", |mut store: Store<'_>, (): ()| {
        let state = store.data_mut();
        state
            .identity
            .grants
            .asked_for_all(Grant::Dirs, "[\"/path\"]");
        Ok((state.filesystem().get_directories()?,))
    })?;
    let mut types = linker.instance("wasi:filesystem/types@0.2.12")?;
    types.func_wrap_async(
        "[method]descriptor.open-at",
        |mut store: Store<'_>, arguments: Open| {
            Box::new(async move { Ok((open(store.data_mut(), arguments).await?,)) })
        },
    )
}

type Open = (
    Resource<Descriptor>,
    PathFlags,
    String,
    OpenFlags,
    DescriptorFlags,
);

async fn open(
    state: &mut State,
    (folder, path_flags, path, open_flags, flags): Open,
) -> Result<Result<Resource<Descriptor>, ErrorCode>> {
    let to_change = flags.intersects(DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY)
        || open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
    let number = folder.rep();
    let again = || Resource::<Descriptor>::new_borrow(number);
    // To open a pipe waits for whoever opens its other end, on a thread that nobody can stop.
    let about = state
        .filesystem()
        .stat_at(again(), path_flags, path.clone())
        .await;
    if let Ok(about) = about
        && !matches!(
            about.type_,
            DescriptorType::RegularFile | DescriptorType::Directory | DescriptorType::SymbolicLink
        )
    {
        let remedy =
            "nothing allows it: a plugin opens files and folders, no pipes, sockets or devices";
        state
            .identity
            .grants
            .deny(Grant::Dirs, &format_args!("{path:?}"), remedy);
        return Ok(Err(ErrorCode::NotPermitted));
    }
    let mut files = state.filesystem();
    let opened = files
        .open_at(again(), path_flags, path.clone(), open_flags, flags)
        .await;
    let opened = match opened {
        Ok(descriptor) => Ok(descriptor),
        Err(error) => Err(error.downcast()?),
    };
    let error = opened.as_ref().err().copied();
    state.identity.grants.opened(&path, to_change, error);
    Ok(opened)
}
