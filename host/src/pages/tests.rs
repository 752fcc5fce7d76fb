//! Pages of plugins that were made up: what is escaped, and what is told.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use meterbox_metrics::{Desc, Kind, Listed};

use super::{Target, api, layout::Site, overview, overview::Overview, plugin, search::Found};
use crate::{
    Host, PluginState,
    config::{Config, Grant, LogLevel, Source},
    engine::{Fault, FaultKind},
    grants::{GrantStatus, Wanted},
    imports::recent::LogLine,
    limits::Limit,
    status::{Collected, LimitStatus, PluginStatus},
};

/// What nobody may get through as it is.
const HOSTILE: &str = "<script>alert('x')</script>\"'&\u{202e}\u{1b}[2J";

async fn site() -> Site {
    let host = Host::start(&Config::default()).await.unwrap();
    Site::new(&host, "..")
}

/// Every text that a plugin has a hand in.
fn hostile() -> (PluginStatus, Found) {
    let mut fault = Fault::said("collect", HOSTILE);
    fault.message = HOSTILE.to_owned();
    fault.backtrace = vec![HOSTILE.to_owned()];
    let collect = |micros, success| Collected {
        duration: Duration::from_micros(micros),
        success,
    };
    let status = PluginStatus {
        sdk: Some(HOSTILE.to_owned()),
        exports: vec![HOSTILE.to_owned()],
        // A config has no other characters in them.
        routes: vec![format!(
            "/{}",
            HOSTILE.replace(|c: char| !c.is_ascii_graphic(), "")
        )],
        last_collect: Some(SystemTime::now()),
        collects: vec![collect(10, true), collect(30, false), collect(20, true)],
        collect_success: true,
        faults_total: 1,
        faults: vec![fault, Fault::new(FaultKind::Trap, "collect", HOSTILE)],
        limits: vec![LimitStatus {
            limit: Limit::Memory,
            most: 1e6,
            used: Some(9e5),
            denials: 1,
        }],
        wants: vec![Wanted {
            grant: Grant::Dirs,
            what: HOSTILE.to_owned(),
            why: HOSTILE.to_owned(),
            is_needed: true,
            is_granted: false,
        }],
        grants: vec![GrantStatus {
            grant: Grant::Tcp,
            is_granted: true,
            uses: 1,
            denials: 2,
        }],
        log: vec![LogLine::new(LogLevel::Warn, Some("stderr"), HOSTILE, 3)],
        ..PluginStatus::new("a", Source::File(HOSTILE.into()), PluginState::Running)
    };
    let found = Found {
        words: HOSTILE.to_owned(),
        families: vec![Listed {
            desc: Arc::new(Desc::new(HOSTILE, HOSTILE, Kind::Gauge)),
            owner: Some("a".to_owned()),
            series: 1,
        }],
        all: 2,
    };
    (status, found)
}

fn check_escaped(page: &str) {
    for raw in [
        "<script",
        "alert('x')\"",
        "\u{202e}",
        "\u{1b}",
        "javascript:",
    ] {
        assert!(!page.contains(raw), "{raw:?} in {page}");
    }
    assert!(page.contains("&lt;script&gt;"), "{page}");
}

#[tokio::test]
async fn what_plugins_say_is_escaped() {
    let site = site().await;
    let (status, found) = hostile();
    check_escaped(&plugin::page(&site, &status, &found).into_string());
    check_escaped(&super::search::page(&site, &found).into_string());
    let nothing = Found {
        families: Vec::new(),
        all: 0,
        ..found
    };
    check_escaped(&super::search::page(&site, &nothing).into_string());
    let down = PluginStatus {
        error: Some(HOSTILE.to_owned()),
        ..status.clone()
    };
    let overview = Overview {
        plugins: vec![status, down],
        text_series: None,
        last_reload: (true, 0.0),
    };
    check_escaped(&overview::page(&site, &overview).into_string());
}

#[tokio::test]
async fn those_in_need_come_first() {
    let site = site().await;
    let plugin = |name: &str, state, error: Option<&str>| PluginStatus {
        error: error.map(str::to_owned),
        ..PluginStatus::new(name, Source::File("x.wasm".into()), state)
    };
    let overview = Overview {
        plugins: vec![
            plugin("alpha", PluginState::Running, None),
            plugin("bravo", PluginState::Waiting, None),
            plugin("charlie", PluginState::Quarantined, None),
            plugin("delta", PluginState::Waiting, Some("no such file")),
        ],
        text_series: Some(7),
        last_reload: (false, 0.0),
    };
    let page = overview::page(&site, &overview).into_string();
    let place = |name: &str| page.find(&format!("/plugins/{name}\"")).unwrap();
    assert!(place("charlie") < place("delta") && place("delta") < place("bravo"));
    assert!(place("bravo") < place("alpha"));
    for said in [
        "no such file",
        "last reload was refused",
        "<dd>1</dd>",
        "<dd class=\"alarm\">3</dd>",
    ] {
        assert!(page.contains(said), "{said} is not in {page}");
    }
}

#[test]
fn documents_have_all_that_pages_have() {
    let (status, found) = hostile();
    let document = api::plugin(&status, &found);
    assert_eq!(document["status"], "success");
    let data = &document["data"];
    assert_eq!(data["state"], "running");
    assert_eq!(data["lastCollect"]["durationSeconds"], 20e-6);
    assert_eq!(data["collects"][1]["success"], false);
    assert_eq!(data["faults"][0]["message"], HOSTILE);
    assert_eq!(data["limits"][0]["limit"], "memory");
    assert_eq!(data["grants"][0]["denialsTotal"], 2);
    assert_eq!(data["log"][0]["cutBytes"], 3);
    assert_eq!(data["families"][0]["type"], "gauge");
    assert_eq!(data["familiesTotal"], 2);
    assert_eq!(api::not_found()["status"], "error");
}

/// What docs/api.md tells is what there is.
#[test]
fn every_key_is_documented() {
    fn keys(value: &serde_json::Value, all: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(map) => {
                for (key, value) in map {
                    all.push(key.clone());
                    keys(value, all);
                }
            }
            serde_json::Value::Array(values) => values.iter().for_each(|value| keys(value, all)),
            _ => {}
        }
    }
    let (status, found) = hostile();
    let mut all = Vec::new();
    keys(&api::plugin(&status, &found), &mut all);
    keys(&api::not_found(), &mut all);
    assert!(all.len() > 40, "{all:?}");
    let page = include_str!("../../../docs/api.md");
    for key in all {
        assert!(
            page.contains(&format!("`{key}`")),
            "docs/api.md lacks {key}"
        );
    }
}

#[test]
fn paths_lead_to_pages() {
    let plugin = |name: &str| Some(Target::Plugin(name.to_owned()));
    for (path, target) in [
        ("/", Some(Target::Overview)),
        ("/plugins/a", plugin("a")),
        ("/plugins/", plugin("")),
        ("/plugins/a/b", plugin("a/b")),
        ("/plugins", None),
        ("/api/v1/plugins", Some(Target::ApiPlugins)),
        ("/api/v1/plugins/a", Some(Target::ApiPlugin("a".to_owned()))),
        ("/api/v1/pluginsa", None),
        ("/metrics", None),
    ] {
        assert_eq!(Target::at(path), target, "{path}");
    }
}
