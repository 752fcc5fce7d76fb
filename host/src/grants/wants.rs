//! What a plugin wants, held against what it was granted.

use std::collections::BTreeMap;

use super::Granted;
use crate::{
    config::{Grant, Grants, Hosts, HttpGrant, Target, target},
    engine::bindings::wants::Want,
};

/// Wants of one plugin; more are no statement to an operator.
const MOST: usize = 100;

/// Characters of a text of a plugin.
const LONGEST: usize = 200;

/// Something that a plugin says it wants to be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The grant.
    pub grant: Grant,
    /// One item of it as it stands in the config; empty if the operator has to choose.
    pub what: String,
    /// What for, in the plugin's words.
    pub why: String,
    /// Whether the plugin cannot do without.
    pub is_needed: bool,
    /// Whether the operator granted it.
    pub is_granted: bool,
}

/// How a plugin uses one of its grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantStatus {
    /// The grant.
    pub grant: Grant,
    /// Whether the operator granted anything of it.
    pub is_granted: bool,
    /// How often it was used.
    pub uses: u64,
    /// How often something of it was denied.
    pub denials: u64,
}

impl Granted {
    /// Every grant that was made, used or denied.
    pub(crate) fn status(&self) -> Vec<GrantStatus> {
        let all = Grant::ALL.into_iter().map(|grant| GrantStatus {
            grant,
            is_granted: self.has(grant),
            uses: self.uses(grant),
            denials: self.denials(grant),
        });
        all.filter(|status| status.is_granted || status.uses > 0 || status.denials > 0)
            .collect()
    }

    /// Understands what a plugin wants. An error says what is wrong with it.
    pub(crate) fn compare(&self, wants: Vec<Want>) -> Result<Vec<Wanted>, String> {
        if wants.len() > MOST {
            return Err(format!(
                "it wants {} things, of which {MOST} are the most",
                wants.len()
            ));
        }
        wants
            .into_iter()
            .map(|want| self.understand(want))
            .collect()
    }

    fn understand(&self, want: Want) -> Result<Wanted, String> {
        let [grant, what, why] = [want.grant, want.what, want.why].map(tidy);
        let found = Grant::ALL.into_iter().find(|each| each.key() == grant);
        let found =
            found.ok_or_else(|| format!("it wants a grant {grant:?}, which there is not"))?;
        let is_granted = covered(&self.config, found, &what)
            .map_err(|error| format!("it wants the grant {grant} of what cannot be: {error}"))?;
        Ok(Wanted {
            grant: found,
            what,
            why,
            is_needed: want.needed,
            is_granted,
        })
    }

    /// The lines of config that are missing for what is needed, if any are.
    pub(crate) fn missing(&self, wanted: &[Wanted]) -> Option<String> {
        self.lines(wanted.iter().filter(|want| want.is_needed))
    }

    /// The lines of config for what is wanted and not granted, if there is any.
    pub(crate) fn lines<'a>(&self, wanted: impl Iterator<Item = &'a Wanted>) -> Option<String> {
        let mut lines: BTreeMap<Grant, Vec<&Wanted>> = BTreeMap::new();
        for want in wanted.filter(|want| !want.is_granted) {
            lines.entry(want.grant).or_default().push(want);
        }
        if lines.is_empty() {
            return None;
        }
        let lines = lines
            .into_iter()
            .map(|(grant, wants)| self.line(grant, &wants));
        let lines: Vec<_> = lines.collect();
        Some(format!(
            "[plugins.{}.grants]\n{}",
            self.plugin,
            lines.join("\n")
        ))
    }

    fn line(&self, grant: Grant, wants: &[&Wanted]) -> String {
        let items: Vec<_> = wants.iter().map(|want| item(grant, &want.what)).collect();
        let items = items.join(", ");
        let key = grant.key();
        let value = match grant {
            Grant::Meminfo => "true".to_owned(),
            Grant::Env => format!("{{ {items} }}"),
            _ => format!("[{items}]"),
        };
        let why: Vec<_> = wants.iter().map(|want| want.why.as_str()).collect();
        let why = why.join("; ");
        if self.has(grant) {
            format!("# add to {key}: {items}   # {why}")
        } else {
            format!("{key} = {value}   # {why}")
        }
    }
}

/// A plugin's text in one line, and not too long.
fn tidy(text: String) -> String {
    let text = text.chars().take(LONGEST);
    text.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What to write into the list of a grant.
fn item(grant: Grant, what: &str) -> String {
    let example = match (grant, what) {
        (Grant::Meminfo, _) => "true",
        (Grant::Env, "") => return "NAME = \"...\"".to_owned(),
        (Grant::Env, name) => return format!("{name:?} = \"...\""),
        (Grant::Dirs, "") => "/path",
        (Grant::Tcp | Grant::Udp, "") => "HOST:PORT",
        (Grant::Dns, "") => "NAME",
        (Grant::Http, "") => "https://HOST/path",
        (_, what) => what,
    };
    match (grant, example.split_once(' ')) {
        (Grant::Http, Some((methods, url))) => {
            let methods: Vec<_> = methods.split(',').collect();
            format!("{{ url = {url:?}, methods = {methods:?} }}")
        }
        _ => format!("{example:?}"),
    }
}

/// Whether such an item is granted; of none, whether anything is.
fn covered(config: &Grants, grant: Grant, what: &str) -> Result<bool, String> {
    if what.is_empty() || grant == Grant::Meminfo {
        return Ok(config.has(grant));
    }
    Ok(match grant {
        Grant::Meminfo => config.meminfo,
        Grant::Dirs => config.dirs.iter().any(|dir| {
            let below = what.strip_prefix(dir.guest.trim_end_matches('/'));
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }),
        Grant::Env => config.env.contains_key(what),
        Grant::Tcp => covers_target(&config.tcp, &what.parse()?),
        Grant::Udp => covers_target(&config.udp, &what.parse()?),
        Grant::Dns => {
            let name = target::name(what)?;
            let targets = config
                .tcp
                .iter()
                .chain(&config.udp)
                .map(|target| &target.hosts);
            let mut hosts = targets.chain(config.http.iter().map(|grant| &grant.host));
            config.dns.contains(&name) || hosts.any(|hosts| *hosts == Hosts::Name(name.clone()))
        }
        Grant::Http => {
            let (methods, url) = match what.split_once(' ') {
                Some((methods, url)) => (methods.split(',').collect(), url),
                None => (vec!["GET"], what),
            };
            let wanted: HttpGrant = url.parse()?;
            methods.iter().all(|method| {
                config.http.iter().any(|granted| {
                    granted.is_https == wanted.is_https
                        && granted.host == wanted.host
                        && granted.port == wanted.port
                        && granted.covers_path(&wanted.path)
                        && granted.methods.iter().any(|each| each == method)
                })
            })
        }
    })
}

fn covers_target(granted: &[Target], wanted: &Target) -> bool {
    granted.iter().any(|granted| {
        let hosts = match (&granted.hosts, &wanted.hosts) {
            (Hosts::Name(granted), Hosts::Name(wanted)) => granted == wanted,
            (Hosts::Net(granted), Hosts::Net(wanted)) => granted.contains(wanted),
            _ => false,
        };
        hosts
            && granted.ports.contains(wanted.ports.first)
            && granted.ports.contains(wanted.ports.last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_covered() {
        let config: Grants = toml::from_str(
            "dirs = ['/data']\nenv = { A = 'x' }\ntcp = ['a.example:1-9', '10.0.0.0/8:80']\n\
             dns = ['b.example']\nhttp = ['https://c.example/v1', { url = 'https://d.example', methods = ['POST'] }]",
        )
        .expect("grants");
        for (grant, what, wanted) in [
            (Grant::Meminfo, "", false),
            (Grant::Dirs, "", true),
            (Grant::Dirs, "/data/below", true),
            (Grant::Dirs, "/database", false),
            (Grant::Env, "A", true),
            (Grant::Env, "B", false),
            (Grant::Tcp, "a.example:5", true),
            (Grant::Tcp, "a.example:10", false),
            (Grant::Tcp, "a.example:*", false),
            (Grant::Tcp, "10.1.0.0/16:80", true),
            (Grant::Tcp, "0.0.0.0/0:80", false),
            (Grant::Udp, "", false),
            (Grant::Dns, "a.example", true),
            (Grant::Dns, "b.example", true),
            (Grant::Dns, "e.example", false),
            (Grant::Http, "https://c.example/v1/x", true),
            (Grant::Http, "https://c.example/", false),
            (Grant::Http, "POST https://c.example/v1", false),
            (Grant::Http, "POST https://d.example", true),
            (Grant::Http, "GET,POST https://d.example", false),
        ] {
            assert_eq!(
                covered(&config, grant, what),
                Ok(wanted),
                "{grant:?} {what:?}"
            );
        }
        assert!(covered(&config, Grant::Tcp, "nonsense").is_err());
    }

    #[test]
    fn items_are_toml() {
        for (grant, what, wanted) in [
            (Grant::Tcp, "a.example:1", "\"a.example:1\""),
            (Grant::Env, "TOKEN", "\"TOKEN\" = \"...\""),
            (
                Grant::Http,
                "GET,POST https://a.example",
                "{ url = \"https://a.example\", methods = [\"GET\", \"POST\"] }",
            ),
        ] {
            assert_eq!(item(grant, what), wanted);
        }
    }
}
