use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, SystemTime},
};

use rustix::fs::{FileType, FlockOperation, Mode, flock};
use tempfile::TempDir;

use super::*;
use crate::folder::not_ours;

const KEY: Digest = [7; 32];

fn open_in(state: &TempDir) -> Cache {
    Cache::open(state.path()).expect("a folder of our own")
}

fn filled() -> (TempDir, Cache, PathBuf) {
    let state = tempfile::tempdir().expect("a folder");
    let cache = open_in(&state);
    cache.put(&KEY, b"some code").expect("a disk");
    let entry = cache.path().join(entry_name(&KEY));
    (state, cache, entry)
}

fn names(cache: &Cache) -> Vec<String> {
    let entries = fs::read_dir(cache.path()).expect("a folder");
    let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn gives_back_what_was_put() {
    let (state, cache, entry) = filled();
    assert_eq!(cache.get(&KEY).as_deref(), Some(&b"some code"[..]));
    assert_eq!(cache.get(&[8; 32]), None);
    assert_eq!(
        open_in(&state).get(&KEY).as_deref(),
        Some(&b"some code"[..])
    );
    let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o777;
    assert_eq!((mode(cache.path()), mode(&entry)), (0o700, 0o600));
}

#[test]
fn damage_anywhere_is_noticed() {
    let (_state, cache, entry) = filled();
    let whole = fs::read(&entry).expect("an entry");
    for place in 0..whole.len() {
        for bit in [0, 3, 7] {
            let mut damaged = whole.clone();
            damaged[place] ^= 1 << bit;
            fs::write(&entry, damaged).expect("a disk");
            assert_eq!(cache.get(&KEY), None, "byte {place}, bit {bit}");
            assert!(!entry.exists(), "byte {place}, bit {bit}");
        }
        fs::write(&entry, &whole[..place]).expect("a disk");
        assert_eq!(cache.get(&KEY), None, "{place} bytes");
    }
    fs::write(&entry, [&whole[..], b"x"].concat()).expect("a disk");
    assert_eq!(cache.get(&KEY), None);
    cache.put(&KEY, b"some code").expect("a disk");
    assert_eq!(fs::read(&entry).expect("an entry"), whole);
    assert!(cache.get(&KEY).is_some());
}

#[test]
fn an_entry_under_another_name_is_refused() {
    let (_state, cache, entry) = filled();
    let other = [8; 32];
    fs::rename(&entry, cache.path().join(entry_name(&other))).expect("a disk");
    assert_eq!(cache.get(&other), None);
}

#[test]
fn links_and_pipes_are_not_followed() {
    let (state, cache, entry) = filled();
    let elsewhere = state.path().join("elsewhere");
    fs::rename(&entry, &elsewhere).expect("a disk");
    symlink(&elsewhere, &entry).expect("a disk");
    assert_eq!(cache.get(&KEY), None);
    assert!(elsewhere.exists());

    let pipe = FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &entry, pipe, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
    assert_eq!(cache.get(&KEY), None);

    let linked = tempfile::tempdir().expect("a folder");
    symlink(cache.path(), linked.path().join("code")).expect("a disk");
    Cache::open(linked.path()).expect_err("a link to a folder");
}

#[test]
fn what_others_can_write_is_refused() {
    let (state, cache, entry) = filled();
    fs::set_permissions(&entry, Permissions::from_mode(0o620)).expect("ours");
    assert_eq!(cache.get(&KEY), None);
    for mode in [0o770, 0o702, 0o777] {
        fs::set_permissions(cache.path(), Permissions::from_mode(mode)).expect("ours");
        let error = Cache::open(state.path())
            .expect_err("others can write")
            .to_string();
        assert!(error.contains(&format!("{mode:o}")), "{error}");
    }
    let us = rustix::process::geteuid().as_raw();
    assert_eq!(not_ours(us, 0o40755), None);
    let why = not_ours(us + 1, 0o40700).expect("somebody else's");
    assert!(why.contains("belongs to user"), "{why}");
}

#[test]
fn what_is_no_folder_is_an_error() {
    let state = tempfile::tempdir().expect("a folder");
    fs::write(state.path().join("code"), b"").expect("a disk");
    Cache::open(state.path()).expect_err("a file");
}

#[test]
fn leftovers_are_swept_and_work_in_progress_is_not() {
    let (state, cache, _) = filled();
    fs::write(cache.path().join(".unfinished-1-0"), b"").expect("a disk");
    symlink("/nowhere", cache.path().join(".unfinished-2-0")).expect("a disk");
    let writer = File::open(cache.path()).expect("a folder");
    flock(&writer, FlockOperation::LockShared).expect("a lock");
    open_in(&state);
    assert_eq!(names(&cache).len(), 3);
    drop(writer);
    open_in(&state);
    assert_eq!(names(&cache), [entry_name(&KEY)]);
}

#[test]
fn the_least_recently_used_go_first() {
    let (_state, mut cache, _) = filled();
    let bytes = (HEADER + 9) as u64;
    cache.folder.most_bytes = 2 * bytes;
    let put = |key: Digest, age: u64| {
        cache.put(&key, b"some code").expect("a disk");
        let file = File::open(cache.path().join(entry_name(&key))).expect("an entry");
        let then = SystemTime::now() - Duration::from_secs(age);
        file.set_modified(then).expect("ours");
    };
    put(KEY, 90);
    put([8; 32], 60);
    assert!(cache.get(&KEY).is_some(), "and it is used again");
    put([9; 32], 0);
    assert_eq!(names(&cache), [entry_name(&KEY), entry_name(&[9; 32])]);
    // What can never fit removes nothing.
    cache
        .put(&[10; 32], &vec![0; 3 * bytes as usize])
        .expect("a disk");
    assert_eq!(names(&cache).len(), 2);
}

/// Several writers and readers of one folder: what is read is what was written, whole.
#[test]
fn many_may_share_a_folder() {
    let state = tempfile::tempdir().expect("a folder");
    let stop = AtomicBool::new(false);
    let code = |key: u8| vec![key; 5_000 * usize::from(key)];
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for round in 0..40 {
                    let cache = open_in(&state);
                    let key = 1 + round % 4;
                    cache.put(&[key; 32], &code(key)).expect("a disk");
                }
                stop.store(true, Ordering::Relaxed);
            });
        }
        scope.spawn(|| {
            let cache = open_in(&state);
            let mut found = 0;
            while !stop.load(Ordering::Relaxed) || found == 0 {
                for key in 1..5 {
                    if let Some(read) = cache.get(&[key; 32]) {
                        assert_eq!(read, code(key));
                        found += 1;
                    }
                }
            }
        });
    });
    assert_eq!(names(&open_in(&state)).len(), 4);
}
