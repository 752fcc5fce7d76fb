//! Which plugin a tool is about, and what it is given.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use meterbox::{
    compile::Compiler,
    config::{Config, Limits, PluginConfig},
    distribution::Sources,
    trial::Trial,
};

/// A plugin: its file and flags, or its name in a config file.
#[derive(Debug, clap::Args)]
pub(crate) struct Subject {
    /// The plugin's file; with --config.file, its name there
    #[arg(value_name = "PLUGIN")]
    plugin: PathBuf,
    /// Take the plugin as this config file has it
    #[arg(long = "config.file", value_name = "FILE", conflicts_with_all = ["grants", "settings"])]
    config_file: Option<PathBuf>,
    /// Grant something, as under [plugins.NAME.grants]: `meminfo`, or `KEY=VALUE` with a value as TOML has it; repeatable
    #[arg(long = "grant", value_name = "KEY[=VALUE]", id = "grants")]
    grants: Vec<String>,
    /// Set what the plugin reads from its config; repeatable
    #[arg(long = "config", value_name = "KEY=VALUE", id = "settings")]
    settings: Vec<String>,
}

/// A plugin as a config has it.
#[derive(Debug)]
pub(crate) struct Configured {
    pub(crate) name: String,
    pub(crate) plugin: PluginConfig,
    pub(crate) limits: Limits,
    pub(crate) sources: Sources,
}

impl Subject {
    /// The plugin's table.
    pub(crate) fn configured(&self) -> anyhow::Result<Configured> {
        if let Some(file) = &self.config_file {
            return Configured::load(file, &self.plugin);
        }
        let name = name(&self.plugin);
        let text = self.table(&name)?;
        let config = Config::parse(&text, "the flags", "".as_ref())?;
        Configured::of(config, name)
    }

    /// What a config file would say.
    fn table(&self, name: &str) -> anyhow::Result<String> {
        let source = self.plugin.to_str();
        let source = source.context("the name of the plugin's file is not UTF-8")?;
        let mut text = format!("[plugins.{name}]\nsource = {}\n", quoted(source));
        writeln!(text, "[plugins.{name}.grants]")?;
        for grant in &self.grants {
            let (key, value) = grant.split_once('=').unwrap_or((grant, "true"));
            writeln!(text, "{key} = {value}")?;
        }
        writeln!(text, "[plugins.{name}.config]")?;
        for setting in &self.settings {
            let (key, value) = setting
                .split_once('=')
                .with_context(|| format!("--config {setting:?} has no \"=\"; write KEY=VALUE"))?;
            writeln!(text, "{} = {}", quoted(key), quoted(value))?;
        }
        Ok(text)
    }
}

impl Configured {
    /// The plugin of this name in a config file.
    pub(crate) fn load(file: &Path, name: &Path) -> anyhow::Result<Self> {
        Self::of(Config::load(file)?, name.to_string_lossy().into_owned())
    }

    fn of(mut config: Config, name: String) -> anyhow::Result<Self> {
        let sources = Sources::new(&config);
        let Some(plugin) = config.plugins.remove(&name) else {
            let names: Vec<_> = config.plugins.into_keys().collect();
            bail!(
                "the config file has no plugin {name:?}; it has {}",
                names.join(", ")
            );
        };
        let limits = config.limits_of(&plugin);
        Ok(Self {
            name,
            plugin,
            limits,
            sources,
        })
    }

    /// Loads and starts it; it is compiled in a process of its own.
    pub(crate) async fn start(&self) -> Result<Trial, meterbox::Error> {
        let limits = self.limits.clone();
        let compiler = Some(compiler());
        Trial::start_from(&self.sources, &self.name, &self.plugin, limits, compiler).await
    }
}

/// This program compiles what it tries out in a process of its own, as `serve` does.
pub(crate) fn compiler() -> Compiler {
    Compiler::this_program(["compile"])
}

/// What the plugin in this file is called.
pub(crate) fn name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let name: String = stem
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    let name = name.trim_start_matches(['_', '-']);
    match name {
        "" => "plugin".to_owned(),
        name => name.to_owned(),
    }
}

/// A string of JSON is one of TOML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(grants: &[&str], settings: &[&str]) -> Subject {
        let all = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Subject {
            plugin: "a/b \"c\".wasm".into(),
            config_file: None,
            grants: all(grants),
            settings: all(settings),
        }
    }

    #[test]
    fn flags_make_a_table() {
        let subject = subject(&["meminfo"], &["a.b=c=\"d\"\n", "e="]);
        let configured = subject.configured().expect("it is a plugin");
        assert_eq!(configured.name, "b__c_");
        assert_eq!(
            configured.plugin.source,
            PathBuf::from("a/b \"c\".wasm").into()
        );
        assert!(configured.plugin.grants.meminfo);
        assert_eq!(configured.plugin.config.len(), 2);
    }

    #[test]
    fn what_is_no_setting_or_grant_is_named() {
        let error = subject(&[], &["a"]).configured().expect_err("no =");
        assert!(error.to_string().contains("KEY=VALUE"), "{error}");
        let error = subject(&["teleport"], &[]).configured();
        let error = format!("{:#}", error.expect_err("no such grant"));
        assert!(
            error.contains("the flags") && error.contains("teleport"),
            "{error}"
        );
    }
}
