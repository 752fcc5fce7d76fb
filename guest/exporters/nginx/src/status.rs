//! The page of nginx's module stub_status.

/// Its figures: accepted, handled and requests count since nginx started, the others are of this moment.
#[derive(Debug, PartialEq)]
pub(crate) struct Status {
    pub(crate) active: f64,
    pub(crate) accepted: f64,
    pub(crate) handled: f64,
    pub(crate) requests: f64,
    pub(crate) reading: f64,
    pub(crate) writing: f64,
    pub(crate) waiting: f64,
}

/// Reads the page. An error says what stands where a figure should.
pub(crate) fn parse(page: &str) -> Result<Status, String> {
    let mut words = page.split_whitespace();
    let active = labelled(&mut words, &["Active", "connections:"])?;
    expect(&mut words, &["server", "accepts", "handled", "requests"])?;
    Ok(Status {
        active,
        accepted: number(&mut words)?,
        handled: number(&mut words)?,
        requests: number(&mut words)?,
        reading: labelled(&mut words, &["Reading:"])?,
        writing: labelled(&mut words, &["Writing:"])?,
        waiting: labelled(&mut words, &["Waiting:"])?,
    })
}

fn labelled<'a>(words: &mut impl Iterator<Item = &'a str>, label: &[&str]) -> Result<f64, String> {
    expect(words, label)?;
    number(words)
}

fn expect<'a>(words: &mut impl Iterator<Item = &'a str>, label: &[&str]) -> Result<(), String> {
    for wanted in label {
        let got = words.next();
        if got != Some(wanted) {
            return Err(odd(got, wanted));
        }
    }
    Ok(())
}

fn number<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<f64, String> {
    let word = words.next();
    let number: Option<u64> = word.and_then(|word| word.parse().ok());
    number
        .map(|number| number as f64)
        .ok_or_else(|| odd(word, "a number"))
}

fn odd(got: Option<&str>, wanted: &str) -> String {
    let got: String = got.unwrap_or("the end").chars().take(40).collect();
    format!("no page of stub_status: {got:?} where {wanted:?} should be")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "Active connections: 291 \nserver accepts handled requests\n \
                        16630948 16630949 31070465 \nReading: 6 Writing: 179 Waiting: 106 \n";

    #[test]
    fn every_figure_of_a_page() {
        let status = Status {
            active: 291.0,
            accepted: 16630948.0,
            handled: 16630949.0,
            requests: 31070465.0,
            reading: 6.0,
            writing: 179.0,
            waiting: 106.0,
        };
        assert_eq!(parse(PAGE), Ok(status));
    }

    #[test]
    fn other_pages_are_told() {
        for (page, wanted) in [
            ("", "\"the end\" where \"Active\""),
            ("<html>It works</html>", "\"<html>It\" where \"Active\""),
            ("Active connections: -1", "\"-1\" where \"a number\""),
            (&PAGE[..PAGE.len() - 16], "\"the end\" where \"Waiting:\""),
            (
                &PAGE.replace("accepts", "rejects"),
                "\"rejects\" where \"accepts\"",
            ),
        ] {
            let error = parse(page).expect_err(page);
            assert!(error.contains(wanted), "{error}");
        }
    }
}
