//! One conversation with Redis: what is asked, and what it comes to.

use std::io::{self, BufReader, Read, Write};

use crate::resp::{self, Reply};

/// Databases without keys are shown up to this number of databases, so that nobody's page is full of them.
const MOST_DATABASES: usize = 1000;

/// Who asks. None for a Redis without passwords.
pub(crate) struct Login {
    pub(crate) username: Option<String>,
    pub(crate) password: String,
}

/// What Redis told.
#[derive(Debug, PartialEq)]
pub(crate) struct Told {
    /// The reply to INFO.
    pub(crate) info: String,
    /// How many databases there are; 0 if it does not tell.
    pub(crate) databases: usize,
}

/// Asks everything at once, and reads the replies. An error says what to do if the login is wrong.
pub(crate) fn ask(peer: impl Read + Write, login: Option<&Login>) -> io::Result<Told> {
    let mut peer = BufReader::new(peer);
    let mut commands = Vec::new();
    if let Some(Login { username, password }) = login {
        let words = ["AUTH"].into_iter().chain(username.as_deref());
        let words: Vec<&str> = words.chain([password.as_str()]).collect();
        commands.extend(resp::command(&words));
    }
    commands.extend(resp::command(&["INFO", "ALL"]));
    commands.extend(resp::command(&["CONFIG", "GET", "databases"]));
    let stream = peer.get_mut();
    stream.write_all(&commands)?;
    stream.flush()?;

    if login.is_some()
        && let Reply::Error(error) = resp::reply(&mut peer)?
    {
        let remedy = "check config.username and config.password";
        return Err(io::Error::other(format!("AUTH: {error}; {remedy}")));
    }
    let info = match resp::reply(&mut peer)? {
        Reply::Text(Some(info)) => info,
        Reply::Error(error) if error.starts_with("NOAUTH") => {
            return Err(io::Error::other(format!("{error} Set config.password")));
        }
        Reply::Error(error) => return Err(io::Error::other(format!("INFO: {error}"))),
        other => return Err(io::Error::other(format!("INFO: {other:?} is no text"))),
    };
    // Many do not let everybody ask for it: then databases without keys are not shown.
    let databases = match resp::reply(&mut peer)? {
        Reply::List(items) => match items.as_slice() {
            [_, Reply::Text(Some(count))] => count.parse().unwrap_or(0),
            _ => 0,
        },
        _ => 0,
    };
    let databases = if databases > MOST_DATABASES {
        0
    } else {
        databases
    };
    Ok(Told { info, databases })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says this, whatever it hears.
    struct Peer<'a> {
        says: &'a [u8],
        heard: Vec<u8>,
    }

    impl Read for &mut Peer<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.says.read(buffer)
        }
    }

    impl Write for &mut Peer<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.heard.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn hear(says: &str, login: Option<&Login>) -> (io::Result<Told>, String) {
        let mut peer = Peer {
            says: says.as_bytes(),
            heard: Vec::new(),
        };
        let told = ask(&mut peer, login);
        (told, String::from_utf8(peer.heard).expect("text"))
    }

    const ROLE: &str = "$11\r\nrole:master\r\n";

    #[test]
    fn with_and_without_a_login() {
        let config = "*2\r\n$9\r\ndatabases\r\n$2\r\n16\r\n";
        let told = Told {
            info: "role:master".into(),
            databases: 16,
        };
        let (got, heard) = hear(&format!("{ROLE}{config}"), None);
        assert_eq!(got.ok(), Some(told));
        assert!(heard.starts_with("*2\r\n$4\r\nINFO\r\n"), "{heard:?}");

        let login = |username: Option<&str>| Login {
            username: username.map(str::to_owned),
            password: "s3cret".into(),
        };
        let says = format!("+OK\r\n{ROLE}{config}");
        let (got, heard) = hear(&says, Some(&login(None)));
        assert!(got.is_ok() && heard.starts_with("*2\r\n$4\r\nAUTH\r\n$6\r\ns3cret\r\n"));
        let (got, heard) = hear(&says, Some(&login(Some("me"))));
        assert!(
            got.is_ok() && heard.starts_with("*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$6\r\ns3cret\r\n")
        );
    }

    #[test]
    fn what_it_does_not_let_us_ask_is_left_out() {
        for refused in [
            "-NOPERM no\r\n",
            "*0\r\n",
            "*2\r\n$9\r\ndatabases\r\n$7\r\n9999999\r\n",
        ] {
            let (told, _) = hear(&format!("{ROLE}{refused}"), None);
            assert_eq!(told.map(|told| told.databases).ok(), Some(0), "{refused}");
        }
    }

    #[test]
    fn refusals_say_what_to_do() {
        let login = Login {
            username: None,
            password: "s3cret".into(),
        };
        let (got, _) = hear("-WRONGPASS invalid pair\r\n", Some(&login));
        let error = got.expect_err("a wrong password").to_string();
        assert!(
            error.contains("WRONGPASS") && error.contains("config.password"),
            "{error}"
        );
        assert!(!error.contains("s3cret"), "{error}");
        let (got, _) = hear("-NOAUTH Authentication required.\r\n", None);
        let error = got.expect_err("no password").to_string();
        assert!(error.contains("Set config.password"), "{error}");
    }
}
